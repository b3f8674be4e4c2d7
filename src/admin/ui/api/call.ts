import { z } from "zod";

// Compiling schemas takes eval, which the page's policy refuses; even trying is reported as a breach.
z.config({ jitless: true });

const API = "/admin/api/";

const refusalSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

/** Why a call did not do what it should, in words for the person. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  /** The Worker's code, or "unreachable", "signed_out" or "outdated". */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.hint = hint;
  }
}

type Query = Record<string, string | number | undefined>;

/** The address of a GET route. What is undefined or empty is left out. */
export function addressOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return search === "" ? API + path : `${API}${path}?${search}`;
}

/** Reads from the Worker; starts nothing there. */
export async function look<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  options: { query?: Query; signal?: AbortSignal } = {},
): Promise<z.output<Schema>> {
  const { signal } = options;
  return await call(addressOf(path, options.query), signal ? { signal } : {}, schema);
}

/** Changes something. The browser sends the page's origin along, which the Worker asks for. */
export async function change<Schema extends z.ZodType>(
  path: string,
  body: Record<string, string>,
  schema: Schema,
): Promise<z.output<Schema>> {
  const headers = { "content-type": "application/json" };
  return await call(API + path, { method: "POST", headers, body: JSON.stringify(body) }, schema);
}

async function call<Schema extends z.ZodType>(
  address: string,
  init: RequestInit,
  schema: Schema,
): Promise<z.output<Schema>> {
  const response = await send(address, init);
  const body = await bodyOf(response);
  if (!response.ok) throw refusalOf(response, body);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new CallFailure(
    "outdated",
    "The Moltbot answered something this page does not know.",
    "Load the page again: the Moltbot may be newer than it.",
    parsed.error,
  );
}

async function send(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    // Access sends a browser whose sign-in has ended to another site, which a script cannot follow.
    response = await fetch(address, { ...init, redirect: "manual" });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new CallFailure(
      "unreachable",
      "The Moltbot cannot be reached.",
      "Check the connection; the page goes on by itself.",
      cause,
    );
  }
  if (response.type === "opaqueredirect") throw signedOut();
  return response;
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // Not the Worker's own answer; the status has to do.
    return undefined;
  }
}

function refusalOf({ status }: Response, body: unknown): CallFailure {
  const told = refusalSchema.safeParse(body);
  if (status === 401) return signedOut();
  if (!told.success)
    return new CallFailure("upstream", `The Moltbot answered with ${status}.`, "Try again in a minute.");
  const { code, message, hint } = told.data.error;
  return new CallFailure(code, message, hint);
}

function signedOut(): CallFailure {
  return new CallFailure("signed_out", "Your sign-in has ended.", "Load the page again to sign in.");
}

/** What the person can do about it. */
export function hintOf(error: Error): string {
  return (
    (error instanceof CallFailure ? error.hint : undefined) ?? "Try again; if it goes on, look at the Worker's log."
  );
}
