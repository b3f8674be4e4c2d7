import { z } from "zod";
import { Failure, type FailureCode } from "../core/failure.ts";

/** The gateway's wire, protocol 4 (openclaw 2026.9). Keys not named here are dropped, unknown events are ignored. */
export const PROTOCOL = 4;

export const errorShape = z.object({
  code: z.string(),
  message: z.string(),
  details: z.unknown().optional(),
  retryable: z.boolean().optional(),
  retryAfterMs: z.number().optional(),
});
export type WireError = z.infer<typeof errorShape>;

const frame = z.union([
  z.object({ type: z.literal("event"), event: z.string(), payload: z.unknown() }),
  z.discriminatedUnion("ok", [
    z.object({ type: z.literal("res"), id: z.string(), ok: z.literal(true), payload: z.unknown() }),
    z.object({ type: z.literal("res"), id: z.string(), ok: z.literal(false), error: errorShape }),
  ]),
]);
export type Frame = z.infer<typeof frame>;

/** Throws Failure("upstream") on anything that is not a frame of this protocol. */
export function readFrame(data: string | ArrayBuffer | Blob): Frame {
  if (typeof data !== "string") throw malformed("a binary frame");
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch (error) {
    throw malformed("a frame that is not JSON", error);
  }
  return parse(frame, json, "a frame");
}

export function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw malformed(what, result.error);
  return result.data;
}

function malformed(what: string, cause?: unknown): Failure {
  return new Failure("upstream", `The gateway sent ${what} that does not follow its protocol.`, {
    hint: "The pinned gateway version and this client may have drifted apart.",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Milliseconds since 1970. What no calendar has is as good as none: it would have no words. */
export const wireTime = z.number().min(-8.64e15).max(8.64e15).optional().catch(undefined);

export const challenge = z.object({ nonce: z.string().min(1), ts: z.number().int().nonnegative() });

export const hello = z.object({
  type: z.literal("hello-ok"),
  protocol: z.literal(PROTOCOL),
  /** bootId changes with each start of the gateway's process. */
  server: z.object({ version: z.string(), bootId: z.string() }),
  auth: z.object({ scopes: z.array(z.string()) }),
  policy: z.object({
    maxPayload: z.number(),
    tickIntervalMs: z.number(),
    attachments: z.object({ maxBytes: z.number(), maxImageBytes: z.number() }).optional(),
  }),
});
export type Hello = z.infer<typeof hello>;

const pairing = z.object({ code: z.literal("PAIRING_REQUIRED"), requestId: z.string().min(1) });

/** The request to approve, when a connect was refused because the device is not known yet. */
export function pairingRequest(error: WireError): string | undefined {
  const read = pairing.safeParse(error.details);
  return read.success ? read.data.requestId : undefined;
}

/** The gateway's closed list of error codes; what is not on it is its own fault. */
const CODES: Record<string, FailureCode> = {
  INVALID_REQUEST: "invalid_input",
  FORBIDDEN: "forbidden",
  NOT_PAIRED: "unauthorized",
  APPROVAL_NOT_FOUND: "not_found",
  UNAVAILABLE: "unavailable",
  AGENT_TIMEOUT: "timeout",
};

export function wireFailure(method: string, error: WireError): Failure {
  return new Failure(CODES[error.code] ?? "upstream", `The gateway refused ${method}: ${error.message}`, {
    cause: error,
  });
}
