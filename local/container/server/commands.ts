import { RpcTarget } from "capnweb";
import { failure, messageOf } from "./failure.ts";
import type { ProcessTable } from "./process-table.ts";
import type { Place, Sessions } from "./sessions.ts";
import { spawnShell, terminateGroup, type Environment } from "./shell.ts";

/** What a command may print, both streams together, when its output is answered in one piece. */
const OUTPUT_LIMIT = 32 * 1024 * 1024;

export interface ExecuteOptions {
  timeoutMs?: number;
  env?: Environment;
  cwd?: string;
}

interface ExecuteResult {
  success: boolean;
  exitCode: number;
  stdout: string;
  stderr: string;
  command: string;
  timestamp: string;
}

/** rpc group `commands`: one shell command, answered when it has ended or as a stream of events. */
export class Commands extends RpcTarget {
  readonly #sessions: Sessions;
  readonly #processes: ProcessTable;

  constructor(sessions: Sessions, processes: ProcessTable) {
    super();
    this.#sessions = sessions;
    this.#processes = processes;
  }

  execute(command: string, sessionId?: string, options: ExecuteOptions = {}): Promise<ExecuteResult> {
    return this.#sessions.run(command, sessionId, async (shellCommand, place) => ({
      ...(await runToEnd(shellCommand, at(place, options), options.timeoutMs)),
      command,
      timestamp: new Date().toISOString(),
    }));
  }

  async executeStream(
    command: string,
    sessionId?: string,
    options: ExecuteOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const place = at(this.#sessions.place(sessionId), options);
    const started = await this.#processes.start(command, { ...place, timeoutMs: options.timeoutMs });
    return started.events(sessionId ?? "");
  }
}

function at(place: Place, options: ExecuteOptions): Place {
  return { cwd: options.cwd ?? place.cwd, env: { ...place.env, ...options.env } };
}

async function runToEnd(
  command: string,
  place: Place,
  timeoutMs: number | undefined,
): Promise<{ success: boolean; exitCode: number; stdout: string; stderr: string }> {
  const child = await spawnShell(command, place).catch((error: unknown) => {
    throw failure("COMMAND_EXECUTION_ERROR", `Failed to execute the command in '${place.cwd}': ${messageOf(error)}`, {
      command,
      stderr: messageOf(error),
    });
  });
  const output = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>() };
  let size = 0;
  let ended: "too-large" | "timeout" | undefined;
  let done = false;
  const end = (reason: "too-large" | "timeout") => {
    ended ??= reason;
    void terminateGroup(child.pid);
  };
  for (const source of ["stdout", "stderr"] as const) {
    child[source].on("data", (chunk: Buffer) => {
      if (done || ended === "too-large") return;
      size += chunk.length;
      if (size > OUTPUT_LIMIT) return end("too-large");
      output[source].push(chunk);
    });
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => end("timeout"), timeoutMs);
  const exitCode = await child.exited;
  clearTimeout(timer);
  // From here on a background child's output is drained and dropped, not collected.
  done = true;
  if (ended === "too-large") {
    throw failure(
      "COMMAND_EXECUTION_ERROR",
      `The command was stopped: it printed more than ${OUTPUT_LIMIT} bytes. Write to a file, or use execStream.`,
      { command, exitCode },
    );
  }
  const stdout = Buffer.concat(output.stdout).toString("utf8");
  const stderr = Buffer.concat(output.stderr).toString("utf8");
  if (ended === undefined) return { success: exitCode === 0, exitCode, stdout, stderr };
  const gap = stderr === "" || stderr.endsWith("\n") ? "" : "\n";
  const note = `Command timed out after ${timeoutMs}ms`;
  return { success: false, exitCode: 124, stdout, stderr: `${stderr}${gap}${note}` };
}
