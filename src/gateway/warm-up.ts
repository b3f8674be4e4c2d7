import { z } from "zod";
import { log } from "../core/log.ts";
import { sendMessage } from "./chat.ts";
import type { GatewayConnection } from "./connection.ts";

/** The conversation it is done in; it is gone afterwards. */
const SESSION = "agent:main:moltbot:warm-up";
/** A command that the gateway answers itself, on the way that a message takes to the model, and with no call of it. */
const COMMAND = "/status";
const WITHIN_MS = 60_000;

/**
 * Has the gateway load what its first answer needs: on a busy machine that one took 2.4 s after it, and 20 s without, when the
 * next took 1 s; to wait alone did not help. When it fails, the first answer takes as long as it would have.
 */
export async function warmUp(connection: GatewayConnection): Promise<void> {
  const started = Date.now();
  const options = { timeoutMs: WITHIN_MS };
  const runId = crypto.randomUUID();
  try {
    await connection.request("memory.search", { query: "warm-up" }, z.unknown(), options);
    await sendMessage(connection, { session: SESSION, message: COMMAND, runId, attachments: [] }, options);
    await connection.request("agent.wait", { runId, timeoutMs: WITHIN_MS }, z.unknown(), options);
    // Whoever may write may delete only what is put away.
    await connection.request("sessions.patch", { key: SESSION, archived: true }, z.unknown(), options);
    const gone = { key: SESSION, archivedOnly: true, deleteTranscript: true };
    await connection.request("sessions.delete", gone, z.unknown(), options);
    log("info", "gateway.warm", { outcome: "ok", ms: Date.now() - started });
  } catch (cause) {
    log("warn", "gateway.warm", { outcome: "failed", ms: Date.now() - started, cause });
  }
}
