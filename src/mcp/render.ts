import type { CallToolResult } from "@modelcontextprotocol/server";
import type { Failure } from "../core/failure.ts";
import type { TaskState } from "../tools/task.ts";
import type { ToolAnswer } from "../tools/tool.ts";

/** Clients cut results that are longer; then the tool's own way to get the rest is lost too. */
const MOST_CHARACTERS = 24_000;

type Data = Record<string, unknown>;

/** A tool's answer on the wire: text for the model, the data beside it, then pictures and links. */
export function renderAnswer(answer: ToolAnswer<Data>): CallToolResult {
  return {
    content: [{ type: "text", text: capped(answer.text) }, ...(answer.blocks ?? [])],
    structuredContent: answer.data,
    ...(answer.failed ? { isError: true } : {}),
  };
}

/** A failure as a result the model can act on: what happened, and what to do next. */
export function renderFailure(failure: Failure): CallToolResult {
  const text = failure.hint ? `${failure.message}\n${failure.hint}` : failure.message;
  return { content: [{ type: "text", text: capped(text) }], isError: true };
}

/** A task as the call that began it answers: that it is there, not yet what came of it. */
export function renderTask(task: TaskState<Data>): CallToolResult {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library's types know no task in this place yet.
  return { resultType: "task", ...taskFacts(task) } as unknown as CallToolResult;
}

/** A task as `tasks/get` answers. */
export function renderTaskState(task: TaskState<Data>) {
  const { ask, answer, error } = task;
  return {
    resultType: "complete" as const,
    ...taskFacts(task),
    ...(ask ? { inputRequests: ask } : {}),
    ...(answer ? { result: { resultType: "complete", ...renderAnswer(answer) } } : {}),
    ...(error ? { error } : {}),
  };
}

function taskFacts({ id, status, message, created, updated, keptMs, pollMs }: TaskState<Data>) {
  return {
    taskId: id,
    status,
    ...(message ? { statusMessage: message } : {}),
    createdAt: created,
    lastUpdatedAt: updated,
    ttlMs: keptMs,
    pollIntervalMs: pollMs,
  };
}

function capped(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}\n[${text.length - MOST_CHARACTERS} characters left out]`;
}
