import { setTimeout as sleep } from "node:timers/promises";
import type { Passage, Plan } from "./plan.ts";

type MessagePlan = Extract<Plan, { kind: "message" }>;

export interface StreamEvent {
  type: string;
  [field: string]: unknown;
}

export interface Head {
  id: string;
  model: string;
  inputTokens: number;
}

/** Words per delta when nothing slows the text down. */
const AT_ONCE = 8;

/**
 * The events of one streamed message in the order of the Messages API. A dropped plan ends early, in
 * the middle of its text block: the caller breaks the connection there.
 */
export async function* messageEvents(head: Head, plan: MessagePlan, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  const message = { ...emptyMessage(head), usage: usage(head.inputTokens, 1) };
  yield { type: "message_start", message };
  let index = 0;
  let pinged = false;
  if (plan.passages.length > 0) {
    yield { type: "content_block_start", index, content_block: { type: "text", text: "" } };
    yield { type: "ping" };
    pinged = true;
    for await (const text of chunks(plan.passages, signal)) {
      yield { type: "content_block_delta", index, delta: { type: "text_delta", text } };
    }
    if (plan.dropped) return;
    yield { type: "content_block_stop", index };
    index += 1;
  }
  if (plan.call) {
    const content_block = { type: "tool_use", id: toolUseId(head), name: plan.call.name, input: {} };
    yield { type: "content_block_start", index, content_block };
    if (!pinged) yield { type: "ping" };
    const partial_json = JSON.stringify(plan.call.input);
    yield { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } };
    yield { type: "content_block_stop", index };
  }
  const delta = { stop_reason: stopReason(plan), stop_sequence: null };
  yield { type: "message_delta", delta, usage: { output_tokens: outputTokens(plan) } };
  yield { type: "message_stop" };
}

/** The same message in one piece; a slow plan still takes its time. */
export async function wholeMessage(
  head: Head,
  plan: MessagePlan,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const pieces: string[] = [];
  for await (const text of chunks(plan.passages, signal)) pieces.push(text);
  const content = [
    ...(pieces.length > 0 ? [{ type: "text", text: pieces.join("") }] : []),
    ...(plan.call ? [{ type: "tool_use", id: toolUseId(head), ...plan.call }] : []),
  ];
  return {
    ...emptyMessage(head),
    content,
    stop_reason: stopReason(plan),
    usage: usage(head.inputTokens, outputTokens(plan)),
  };
}

/** About four characters a token, as a rule of thumb for English. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

async function* chunks(passages: Passage[], signal: AbortSignal): AsyncGenerator<string> {
  for (const { text, pace } of passages) {
    const words = text.match(/\s*\S+|\s+$/g) ?? [text];
    const step = pace > 0 ? 1 : AT_ONCE;
    for (let at = 0; at < words.length; at += step) {
      if (pace > 0) await sleep(pace, undefined, { signal });
      yield words.slice(at, at + step).join("");
    }
  }
}

function emptyMessage({ id, model }: Head) {
  return {
    id: `msg_${id}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function toolUseId({ id }: Head): string {
  return `toolu_${id}`;
}

function stopReason(plan: MessagePlan): string {
  return plan.call ? "tool_use" : "end_turn";
}

function usage(input_tokens: number, output_tokens: number) {
  return { input_tokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens };
}

function outputTokens(plan: MessagePlan): number {
  const text = plan.passages.map((passage) => passage.text).join("");
  return Math.max(1, tokensOf(text + (plan.call ? JSON.stringify(plan.call.input) : "")));
}
