/**
 * The one error type. A code says what kind of thing went wrong, the message says it to the caller,
 * the hint says what to do next. The cause is for the log only.
 */
export const FAILURES = {
  invalid_input: { status: 400 },
  unauthorized: { status: 401 },
  forbidden: { status: 403 },
  not_found: { status: 404 },
  wrong_method: { status: 405 },
  conflict: { status: 409 },
  too_large: { status: 413 },
  limited: { status: 429 },
  cancelled: { status: 499 },
  internal: { status: 500 },
  misconfigured: { status: 500 },
  upstream: { status: 502 },
  unavailable: { status: 503 },
  /** As unavailable, but trying again does not help: a person has to do something first. */
  given_up: { status: 503 },
  timeout: { status: 504 },
} as const satisfies Record<string, { status: number }>;

export type FailureCode = keyof typeof FAILURES;

/** What a caller may see of a failure; plain data, so it crosses Durable Object calls unchanged. */
export interface FailureView {
  code: FailureCode;
  message: string;
  hint?: string;
}

export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  get status(): number {
    return FAILURES[this.code].status;
  }

  view(): FailureView {
    return { code: this.code, message: this.message, ...(this.hint ? { hint: this.hint } : {}) };
  }
}

/** Any thrown value as a Failure. What was not thrown as one is `internal`, its text kept as the cause. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure("internal", "Something went wrong on the server.", {
    hint: "Try again; if it goes on, look at the Worker's log.",
    cause: error,
  });
}
