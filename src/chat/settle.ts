import type { GatewayConnection } from "../gateway/connection.ts";
import { type History, type HistoryEntry, readHistory } from "../gateway/chat.ts";

/** Entries of the conversation's end that are looked at: an answer with its steps, and what came after it. */
const ENTRIES = 60;

/** What the gateway's history says about a run whose events we may have missed. */
export type Standing =
  /** It goes on; `text` when the gateway tells what it has said. */
  | { state: "active"; text: string | undefined }
  | { state: "answered"; text: string; cancelled: boolean; files: boolean }
  /** Our message is in the conversation and another run is at work, which may have taken it over. */
  | { state: "behind" }
  | { state: "unknown" };

export async function standing(
  connection: GatewayConnection,
  run: { id: string; session: string },
): Promise<Standing> {
  const history = await readHistory(connection, { session: run.session, limit: ENTRIES });
  if (history.inFlight?.runId === run.id) return { state: "active", text: history.inFlight.text };
  if (history.activeRunIds.includes(run.id)) return { state: "active", text: undefined };
  const own = history.entries.filter((entry) => entry.role === "assistant" && entry.runId === run.id);
  return answered(own) ?? takenOver(history, run.id);
}

/** The answer to a message that went into another run stands after it under that run's id. */
function takenOver(history: History, runId: string): Standing {
  const asked = history.entries.findIndex((entry) => entry.role === "user" && entry.runId === runId);
  if (asked === -1) return { state: "unknown" };
  if (history.inFlight || history.activeRunIds.length > 0) return { state: "behind" };
  return answered(history.entries.slice(asked + 1).filter((entry) => entry.role === "assistant")) ?? { state: "unknown" };
}

function answered(entries: HistoryEntry[]): Standing | undefined {
  const answers = entries.filter((entry) => !entry.step);
  const last = answers.at(-1);
  if (!last) return undefined;
  return {
    state: "answered",
    text: answers.map((entry) => entry.text ?? "").join("\n\n").trim(),
    cancelled: last.cancelled,
    files: entries.some((entry) => entry.images.length > 0),
  };
}
