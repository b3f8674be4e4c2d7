import type { ModelTarget } from "../../config/providers.ts";
import { toFailure } from "../../core/failure.ts";
import type { Journal } from "../../core/journal.ts";
import { log } from "../../core/log.ts";
import type { Tokens } from "../../usage/access.ts";
import type { Ledger, TurnOwner } from "./ledger.ts";
import type { Metadata } from "./send.ts";

export const NO_TOKENS: Tokens = { input: 0, cached: 0, output: 0 };

/** How a model call went. */
export interface Call {
  /** Milliseconds since 1970. */
  started: number;
  firstWordMs: number;
  /** Undefined when none answered. */
  target: ModelTarget | undefined;
  tokens: Tokens;
  /** "ok", or what became of it. */
  outcome: string;
  /** The conversation's key in the gateway. */
  session: string | undefined;
  /** Whose turn it was; undefined for what the bot did by itself, and for channels. */
  owner: TurnOwner | undefined;
}

/** Writes a call into the log, the journal and the count. Never throws: the call is over. */
export async function record(call: Call, books: { journal: Journal; ledger: Ledger }): Promise<void> {
  const { started, firstWordMs, target, tokens, outcome, owner } = call;
  const ms = Date.now() - started;
  const conversation = owner?.conversation ?? conversationOf(call.session);
  const { principal = "bot", client } = owner ?? {};
  const model = target?.name ?? "none";
  log(outcome === "ok" ? "info" : "warn", "model.call", { model, outcome, firstWordMs, ms, ...tokens });
  books.journal({
    kind: "model",
    at: started,
    principal,
    ...(client === undefined ? {} : { client }),
    action: model,
    outcome,
    ms,
    detail: { ...tokens, firstWordMs, ...(conversation === undefined ? {} : { conversation }) },
  });
  try {
    await books.ledger.record({
      at: started,
      model,
      principal,
      client: client ?? "none",
      conversation: conversation ?? "none",
      tokens: { ...tokens },
      usd: target?.price === undefined ? undefined : cost(tokens, target.price),
      firstWordMs,
      ms,
      ok: outcome === "ok",
    });
  } catch (error) {
    log("error", "model.record", { outcome: toFailure(error).code, cause: error });
  }
}

/** Who asks, for AI Gateway's analytics: the person as the gateway knows them, which is a digest, and the conversation. */
export function metadataOf(session: string | undefined): Metadata {
  const who = /^agent:[^:]+:mcp:([0-9a-f]+):/.exec(session ?? "")?.[1];
  const conversation = conversationOf(session);
  return {
    app: "moltbot",
    ...(who === undefined ? {} : { who }),
    ...(conversation === undefined ? {} : { conversation }),
  };
}

/** Of an MCP client's, the name it gave; of others all that follows the agent's name. */
function conversationOf(session: string | undefined): string | undefined {
  if (session === undefined) return undefined;
  return /^agent:[^:]+:mcp:[0-9a-f]+:(.+)$/.exec(session)?.[1] ?? session.split(":").slice(2).join(":");
}

function cost({ input, cached, output }: Tokens, price: NonNullable<ModelTarget["price"]>): number {
  return ((input - cached) * price.input + cached * price.cached + output * price.output) / 1_000_000;
}
