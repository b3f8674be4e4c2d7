import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { type Reply, unwrap } from "../core/reply.ts";
import { errorShape, parse, type WireError, wireFailure } from "./protocol.ts";

const RPC_PATH = "/api/v1/admin/rpc";

/** JSON to a path of the gateway that is ready; its token is put in on the way, and nothing is started. */
export type GatewayPost = (path: string, body: string) => Promise<Reply<{ body: string }>>;

const answerSchema = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), payload: z.unknown() }),
  z.object({ ok: z.literal(false), error: errorShape }),
]);

/**
 * One call of the gateway's methods over HTTP, with an administrator's rights. Only the methods on the closed list of its
 * plugin `admin-http-rpc` can be called so. Throws Failure; `explain` may know better than the code what a refusal means.
 */
export async function callGateway<T>(
  post: GatewayPost,
  method: string,
  params: Record<string, unknown>,
  result: z.ZodType<T>,
  explain: (error: WireError) => Failure | undefined = () => undefined,
): Promise<T> {
  const { body } = unwrap(await post(RPC_PATH, JSON.stringify({ method, params })));
  const answer = parse(answerSchema, readJson(body), `an answer to ${method}`);
  if (answer.ok) return parse(result, answer.payload, `an answer to ${method}`);
  throw explain(answer.error) ?? tooOften(method, answer.error) ?? wireFailure(method, answer.error);
}

const limitSchema = z.object({ limit: z.string() });

/** Each method that changes something may be called so often in a minute. */
function tooOften(method: string, { details, retryAfterMs = 60_000 }: WireError): Failure | undefined {
  const limit = limitSchema.safeParse(details);
  if (!limit.success) return undefined;
  return new Failure("limited", `The gateway takes ${method} no more often than ${limit.data.limit}.`, {
    hint: `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing that is no JSON follows the protocol; what reads it says so.
    return undefined;
  }
}
