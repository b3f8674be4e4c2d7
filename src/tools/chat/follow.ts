import type { AskedApproval, ChatAccess } from "../../chat/access.ts";
import { chatEvent, type ChatEvent } from "../../chat/event.ts";
import { raced } from "../../core/deadline.ts";
import { unwrap } from "../../core/reply.ts";
import { answerLink } from "../link.ts";
import type { Block, Call, ToolAnswer } from "../tool.ts";
import { waitingOf, waitingText } from "./approval.ts";
import type { RunResult } from "./fields.ts";

/** Marks a progress message as a step of the bot; every other one is the next piece of its answer. */
const STEP = "⚙ ";

/** Characters of an answer in one result; what is longer is read in parts. */
const MOST_ANSWER = 20_000;

interface Progress {
  runId: string;
  cursor: number;
  /** Where the part that fits into a result ends, once there is more. */
  fits?: number;
  text: string;
  tools: string[];
  notes: string[];
  blocks: Block[];
  /** It came to ask for something; whether that still waits is another question. */
  asked: boolean;
  end?: Extract<ChatEvent, { type: "end" }>;
}

/** Also who does not want to wait gets what is there, which takes a moment to arrive. */
const LEAST_WAIT_MS = 250;

export interface Followed {
  answer: ToolAnswer<RunResult>;
  /** What it asks a person for. */
  waiting: readonly AskedApproval[];
}

/** Follows a run from the cursor until it ends, asks a person for something, or `seconds` are over. The run itself goes on either way. */
export async function followRun(
  chat: ChatAccess,
  call: Call,
  from: { runId: string; cursor: number; seconds: number; offset: number },
): Promise<Followed> {
  const { runId, cursor } = from;
  const progress: Progress = { runId, cursor, text: "", tools: [], notes: [], blocks: [], asked: false };
  const asks = async () => unwrap(await chat.approvals(call.principal, runId));
  const stream = unwrap(await chat.follow(call.principal, from.runId, from.cursor));
  const patience = AbortSignal.any([call.signal, AbortSignal.timeout(Math.max(from.seconds * 1000, LEAST_WAIT_MS))]);
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let rest = "";
    while (!progress.end) {
      const { done, value } = await raced(reader.read(), patience);
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) await take(progress, chatEvent.parse(JSON.parse(line)), call);
      // Nothing more comes before a person answers.
      if (progress.asked && !progress.end && (await asks()).length > 0) break;
      progress.asked = false;
    }
  } catch (error) {
    call.signal.throwIfAborted();
    if (!patience.aborted) throw error;
  } finally {
    // Not awaited: a reader that is already gone has nothing to say.
    reader.cancel().catch(() => undefined);
  }
  const waiting = progress.end ? [] : await asks();
  return { answer: answer(progress, from.offset, waiting, call), waiting };
}

async function take(progress: Progress, event: ChatEvent, call: Call): Promise<void> {
  progress.cursor = event.cursor;
  switch (event.type) {
    case "text":
      if (event.replace) delete progress.fits;
      progress.text = event.replace ? event.text : progress.text + event.text;
      // A replacement is sent whole each time; what does not fit of it comes with the end.
      if (!event.replace && progress.text.length > MOST_ANSWER) {
        progress.fits ??= event.cursor - (progress.text.length - MOST_ANSWER);
      }
      await call.progress(event.text);
      return;
    case "tool": {
      if (event.phase === "end") return;
      const step = event.detail ? `${event.name}: ${event.detail}` : event.name;
      progress.tools.push(step);
      await call.progress(STEP + step);
      return;
    }
    case "image":
      progress.blocks.push({ type: "image", data: event.data, mimeType: event.mimeType });
      return;
    case "note":
      progress.notes.push(event.text);
      return;
    case "approval":
      progress.asked = event.phase === "asked";
      if (progress.asked) await call.progress(`${STEP}waits to be allowed: ${event.title ?? event.id}`);
      return;
    case "end":
      progress.end = event;
      return;
  }
}

function answer(
  progress: Progress,
  offset: number,
  waiting: readonly AskedApproval[],
  call: Call,
): ToolAnswer<RunResult> {
  const { runId, tools, blocks, notes, end } = progress;
  // A part that does not fit comes with the next call.
  const cursor = end ? progress.cursor : (progress.fits ?? progress.cursor);
  const asked = waiting.length > 0 ? { waiting_for_approval: waitingOf(waiting) } : {};
  const shared = { run_id: runId, cursor, tools, ...asked };
  const remarks = notes.map((note) => `\n[${note}]`).join("");
  if (!end) {
    const next = `[Still running. Go on with chat_wait {"run_id": "${runId}", "cursor": ${cursor}}.]`;
    return {
      data: { ...shared, status: "running", partial: progress.text.slice(0, MOST_ANSWER) },
      text: [progress.text.slice(0, MOST_ANSWER) + remarks, waitingText(waiting, call), next]
        .filter((part) => part !== "")
        .join("\n"),
      blocks,
    };
  }
  const error = end.error ? `[${end.error.message}${end.error.hint ? ` ${end.error.hint}` : ""}]` : "";
  const state = end.status === "cancelled" ? "[Cancelled.]" : "";
  const text = end.text.slice(offset, offset + MOST_ANSWER);
  const left = end.text.length - offset - text.length;
  const rest =
    left > 0
      ? `[${left} characters more: chat_wait {"run_id": "${runId}", "cursor": ${cursor}, "offset": ${offset + text.length}}]`
      : "";
  return {
    data: {
      ...shared,
      status: end.status,
      text,
      ...(left > 0 ? { truncated: true, next_offset: offset + text.length } : {}),
      ...(end.model ? { model: end.model } : {}),
      ...(end.error ? { error: end.error } : {}),
    },
    text:
      [text + remarks, rest, state, error].filter((part) => part !== "").join("\n") ||
      "[The Moltbot answered without text.]",
    blocks: left > 0 ? [...blocks, answerLink(runId)] : blocks,
    failed: end.status === "failed",
  };
}
