import { argumentsDigest } from "../core/digest.ts";
import { toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { McpContext } from "./context.ts";

/**
 * Does one thing that a client asked for, and writes it down: a line in the log and an entry in the journal. The outcome
 * is "ok", what `work` said with `note`, or the code of its failure, which is thrown on.
 */
export async function observed<T>(
  context: McpContext,
  action: string,
  input: unknown,
  work: (note: (outcome: string) => void) => Promise<T>,
): Promise<T> {
  const at = Date.now();
  let outcome = "ok";
  let cause: unknown;
  try {
    return await work((noted) => {
      outcome = noted;
    });
  } catch (error) {
    const failure = toFailure(error);
    outcome = failure.code;
    cause = failure.cause;
    throw failure;
  } finally {
    const { principal, clientId } = context.caller;
    const ms = Date.now() - at;
    log(outcome === "internal" ? "error" : "info", "mcp.call", {
      action,
      who: principal.id,
      client: clientId,
      outcome,
      ms,
      ...(cause === undefined ? {} : { cause }),
    });
    context.waitUntil(
      argumentsDigest(input).then((digest) =>
        context.journal({ kind: "call", at, principal: principal.id, client: clientId, action, digest, outcome, ms }),
      ),
    );
  }
}
