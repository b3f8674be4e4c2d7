import { z } from "zod";
import { Failure, type FailureCode } from "../core/failure.ts";

/**
 * What this project relies on of @cloudflare/sandbox beyond its public types. Only this folder imports the SDK:
 * it changes often.
 */

/** Passed as a session id, it makes the container start a fresh process for each call instead of queueing in one shell. */
export const NO_SESSION = "__DISABLE_SESSION__";

/** Where in the container its own server listens. */
export const SERVER_PORT = 3000;

const errorSchema = z.object({ code: z.string(), message: z.string() });

const CODES: Record<string, { code: FailureCode; hint: string }> = {
  FILE_NOT_FOUND: { code: "not_found", hint: "Look at the directory with file_list." },
  IS_DIRECTORY: { code: "invalid_input", hint: "That is a directory: use file_list." },
  NOT_DIRECTORY: { code: "invalid_input", hint: "That is not a directory: use file_read." },
  PERMISSION_DENIED: { code: "forbidden", hint: "Choose a path under /workspace or the home directory." },
  READ_ONLY: { code: "forbidden", hint: "Choose a path under /workspace or the home directory." },
  FILE_TOO_LARGE: { code: "too_large", hint: "Read a part of it with offset and limit." },
  NO_SPACE: { code: "unavailable", hint: "The sandbox's disk is full: delete something first." },
  NAME_TOO_LONG: { code: "invalid_input", hint: "Choose a shorter name." },
  VALIDATION_FAILED: { code: "invalid_input", hint: "Check the path." },
  CONTAINER_UNAVAILABLE: {
    code: "unavailable",
    hint: "The sandbox is starting or has no room: try again in a minute.",
  },
  OPERATION_INTERRUPTED: { code: "unavailable", hint: "The sandbox restarted meanwhile: try again." },
  RPC_TRANSPORT_ERROR: { code: "unavailable", hint: "The sandbox restarted meanwhile: try again." },
};

/** Whether the container was replaced under a call. The first call after the Worker restarted always sees this. */
export function isInterrupted(error: unknown): boolean {
  return errorSchema.safeParse(error).data?.code === "OPERATION_INTERRUPTED";
}

/** The SDK's error as a Failure; one it has no code for stays `internal`, its text in the log. */
export function sandboxFailure(error: unknown, what: string): Failure {
  if (error instanceof Failure) return error;
  const known = errorSchema.safeParse(error);
  const mapped = known.success ? CODES[known.data.code] : undefined;
  if (mapped) return new Failure(mapped.code, `${what}: ${words(mapped.code)}.`, { hint: mapped.hint, cause: error });
  return new Failure("internal", `${what} failed in the sandbox.`, {
    hint: "Try again; bot_status shows whether the sandbox is up.",
    cause: error,
  });
}

function words(code: FailureCode): string {
  switch (code) {
    case "not_found":
      return "no such file or directory";
    case "forbidden":
      return "not permitted";
    case "too_large":
      return "too large";
    case "unavailable":
      return "the sandbox is not available";
    case "invalid_input":
    case "given_up":
    case "unauthorized":
    case "wrong_method":
    case "conflict":
    case "limited":
    case "cancelled":
    case "internal":
    case "misconfigured":
    case "upstream":
    case "timeout":
      return "not possible for this path";
  }
}
