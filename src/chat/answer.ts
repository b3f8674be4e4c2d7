import { raced } from "../core/deadline.ts";
import { unwrap } from "../core/reply.ts";
import type { ChatAccess } from "./access.ts";
import { chatEvent } from "./event.ts";

/** What is there of a run that goes on arrives within this. */
const MOMENT_MS = 500;

/** The text of a run so far: all of it when the run has ended. */
export async function answerText(
  chat: ChatAccess,
  principal: string,
  runId: string,
  signal: AbortSignal,
): Promise<{ text: string; ended: boolean }> {
  const stream = unwrap(await chat.follow(principal, runId, 0));
  const open = unwrap(await chat.runs(principal)).some((run) => run.runId === runId && run.ended === undefined);
  const patience = open ? AbortSignal.any([signal, AbortSignal.timeout(MOMENT_MS)]) : signal;
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (let rest = ""; ;) {
      const { done, value } = await raced(reader.read(), patience);
      if (done) return { text, ended: false };
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = chatEvent.parse(JSON.parse(line));
        if (event.type === "end") return { text: event.text, ended: true };
        if (event.type === "text") text = event.replace ? event.text : text + event.text;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!patience.aborted) throw error;
    return { text, ended: false };
  } finally {
    // Not awaited: a reader that is already gone has nothing to say.
    reader.cancel().catch(() => undefined);
  }
}
