import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
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
    structuredContent: fitting(answer.data),
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

/**
 * The last guard behind the tools' own limits: the longest texts of the data are cut until all of it fits, so that what
 * is left still has the shape that the tool promised.
 */
function fitting(data: Data): Data {
  const lengths: number[] = [];
  JSON.stringify(data, (_key, value: unknown) => {
    if (typeof value === "string") lengths.push(value.length);
    return value;
  });
  const excess = lengths.reduce((sum, length) => sum + length, 0) - MOST_CHARACTERS;
  if (excess <= 0) return data;
  const most = limitFor(lengths, excess);
  return z
    .record(z.string(), z.unknown())
    .parse(
      JSON.parse(
        JSON.stringify(data, (_key, value: unknown) =>
          typeof value === "string" && value.length > most ? `${value.slice(0, Math.max(0, most - 1))}…` : value,
        ),
      ),
    );
}

/** The length to which the longest texts have to be cut for all of them to lose `excess` characters. */
function limitFor(lengths: readonly number[], excess: number): number {
  const sorted = lengths.toSorted((a, b) => b - a);
  let lost = 0;
  for (let count = 1; count < sorted.length; count++) {
    const [longer = 0, shorter = 0] = [sorted[count - 1], sorted[count]];
    const step = (longer - shorter) * count;
    if (lost + step >= excess) return longer - Math.ceil((excess - lost) / count);
    lost += step;
  }
  const least = sorted.at(-1) ?? 0;
  return least - Math.ceil((excess - lost) / Math.max(1, sorted.length));
}

function capped(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}\n[${text.length - MOST_CHARACTERS} characters left out]`;
}
