import { pause } from "../core/deadline.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import { type History, type HistoryEntry, readHistory } from "../gateway/chat.ts";

/** Entries of the conversation's end that are looked at: an answer with its steps, and what came after it. */
const ENTRIES = 60;

/** What the gateway's history says about a run whose events we may have missed. */
export type Standing =
  /** It goes on; `text` when the gateway tells what it has said. */
  | { state: "active"; text: string | undefined }
  /** `own`: under the run's own id, not taken over by another. */
  | { state: "answered"; text: string; cancelled: boolean; files: boolean; own: boolean }
  /** Another run is at work in the conversation, which may have taken our message over. */
  | { state: "behind" }
  | { state: "unknown" };

/** The history is some 50 ms behind the events; ms between looks for an answer that should be there. */
const LOOKS = [100, 200, 400];

export async function standing(connection: GatewayConnection, run: { id: string; session: string }): Promise<Standing> {
  for (const wait of LOOKS) {
    const found = await look(connection, run);
    if (found !== "unanswered") return found;
    await pause(wait);
  }
  const found = await look(connection, run);
  return found === "unanswered" ? { state: "unknown" } : found;
}

async function look(
  connection: GatewayConnection,
  run: { id: string; session: string },
): Promise<Standing | "unanswered"> {
  const history = await readHistory(connection, { session: run.session, limit: ENTRIES });
  if (history.inFlight?.runId === run.id) return { state: "active", text: history.inFlight.text };
  if (history.activeRunIds.includes(run.id)) return { state: "active", text: undefined };
  const own = history.entries.filter((entry) => entry.role === "assistant" && entry.runId === run.id);
  return answered(own, true) ?? takenOver(history, run.id);
}

/**
 * A message sent while another run was at work goes into that one, or waits for its end: the answer then stands
 * after the message, under the other run's id.
 */
function takenOver(history: History, runId: string): Standing | "unanswered" {
  const { entries } = history;
  const asked = entries.findIndex((entry) => entry.role === "user" && entry.runId === runId);
  if (history.busy || history.waiting.includes(runId)) return { state: "behind" };
  if (asked === -1) return { state: "unknown" };
  const replies: HistoryEntry[] = [];
  for (const entry of entries.slice(asked + 1)) {
    if (entry.role === "assistant") replies.push(entry);
    else if (entry.role === "user" && replies.length > 0) break;
  }
  return answered(replies, false) ?? "unanswered";
}

function answered(entries: HistoryEntry[], own: boolean): Standing | undefined {
  const answers = entries.filter((entry) => !entry.step);
  const last = answers.at(-1);
  if (!last) return undefined;
  return {
    state: "answered",
    text: answers
      .map((entry) => entry.text ?? "")
      .join("\n\n")
      .trim(),
    cancelled: last.cancelled,
    files: entries.some((entry) => entry.images.length > 0),
    own,
  };
}
