import { Failure } from "../../core/failure.ts";
import {
  type CommandEntry,
  type CommandHost,
  listCommands,
  type Output,
  outputFile,
  readCommand,
  stopCommand,
} from "../../sandbox/commands.ts";
import type { ToolServices } from "../services.ts";
import type { Tasks, TaskState } from "../task.ts";
import { type CommandRun, runAnswer } from "./answer.ts";

const POLL_MS = 3_000;
/** Bytes of the beginning and of the end of a long output that are shown. */
const HEAD_BYTES = 8_000;
const TAIL_BYTES = 3_000;

/** A started command as a task of the same id. */
export const commandTasks: Tasks<Pick<ToolServices, "commands">, CommandRun> = {
  pattern: /^c[0-9a-f]{24}$/,
  async get(id, { commands }, { principal }) {
    const entry = (await listCommands(commands, principal)).find((command) => command.id === id);
    if (entry === undefined) {
      throw new Failure("not_found", "There is no such command.", { hint: "Ended ones are kept for an hour." });
    }
    const { state, exitCode } = entry;
    if (state === "running") return working(id, entry.startedAt);
    if (state === "stopped") return { ...working(id, entry.startedAt), status: "cancelled" };
    const answer = runAnswer({
      exitCode: exitCode ?? -1,
      timedOut: state === "timeout",
      stdout: await shown(commands, principal, entry),
      stderr: { text: "", bytes: 0, truncated: false, binary: false, path: outputFile(id) },
      hint: hintFor(state),
    });
    return { ...working(id, entry.startedAt), status: "completed", answer };
  },
  async cancel(id, { commands }, { principal }) {
    await stopCommand(commands, principal, id);
  },
};

/** A command that goes on, whose outputs are one. */
export function working(id: string, startedAt: Date): TaskState<CommandRun> {
  const created = startedAt.toISOString();
  return { id, status: "working", created, updated: created, keptMs: null, pollMs: POLL_MS };
}

async function shown(commands: CommandHost, owner: string, { id, bytes }: CommandEntry): Promise<Output> {
  const facts = { bytes, binary: false, path: outputFile(id) };
  const read = async (offset: number, count: number) =>
    (await readCommand(commands, owner, id, { offset, count, waitSeconds: 0 })).text;
  if (bytes <= HEAD_BYTES + TAIL_BYTES) return { ...facts, truncated: false, text: await read(0, bytes) };
  const [head, tail] = await Promise.all([read(0, HEAD_BYTES), read(bytes - TAIL_BYTES, TAIL_BYTES)]);
  const missing = bytes - HEAD_BYTES - TAIL_BYTES;
  return { ...facts, truncated: true, text: `${head}\n… ${missing} bytes left out …\n${tail}` };
}

function hintFor(state: CommandEntry["state"]): string | undefined {
  switch (state) {
    case "timeout":
      return "Killed at its timeout with everything it had started.";
    case "lost":
      return "The sandbox went away while it ran; how it ended is not known.";
    case "running":
    case "done":
    case "stopped":
      return undefined;
  }
}
