import { z } from "zod";
import { log } from "../core/log.ts";
import { sendMessage } from "./chat.ts";
import type { GatewayConnection } from "./connection.ts";

/** The conversation it is done in; it is gone afterwards. */
const SESSION = "agent:main:moltbot:warm-up";
/** A command that the gateway answers itself, on the way that a message takes to the model, and with no call of it. */
const COMMAND = "/status";
const WITHIN_MS = 60_000;

/** Has the gateway load what its first answer needs. When it fails, that one takes as long as it would have. */
export async function warmUp(connection: GatewayConnection): Promise<void> {
  const started = Date.now();
  const options = { timeoutMs: WITHIN_MS };
  const runId = crypto.randomUUID();
  try {
    await connection.request("memory.search", { query: "warm-up" }, z.unknown(), options);
    await sendMessage(connection, { session: SESSION, message: COMMAND, runId, attachments: [] }, options);
    await connection.request("agent.wait", { runId, timeoutMs: WITHIN_MS }, z.unknown(), options);
    await connection.request("sessions.delete", { key: SESSION }, z.unknown(), options);
    log("info", "gateway.warm", { outcome: "ok", ms: Date.now() - started });
  } catch (cause) {
    log("warn", "gateway.warm", { outcome: "failed", ms: Date.now() - started, cause });
  }
}
