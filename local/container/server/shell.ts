import { spawn } from "node:child_process";
import { constants } from "node:os";
import { finished } from "node:stream/promises";
import type { Readable } from "node:stream";
import { closeWriteEnds, openOutputPipe } from "./output-pipe.ts";

export const DEFAULT_DIRECTORY = "/workspace";

/**
 * Processes and threads the commands of a jail may have together. The jail as a whole has a few more (jail.ts), which
 * only this server can use: so it can still start a script that kills when a fork bomb has taken the commands' share.
 */
export const COMMAND_PROCESS_LIMIT = 800;

/** A background child may hold the pipes of a shell that has exited. What it writes after this is not waited for. */
const OPEN_PIPE_GRACE_MS = 250;

const TERMINATE_GRACE_MS = 5_000;
const GROUP_POLL_MS = 25;

export type Environment = Record<string, string | undefined>;

export interface ShellProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * The exit code, once the shell has exited and its output is complete or cannot be waited for, because a background
   * child still holds the pipes. Go on reading them then: a pipe that nobody reads blocks who writes to it.
   */
  readonly exited: Promise<number>;
}

/** Starts `bash -c command` as the leader of its own session and process group. Rejects if it cannot be started. */
export async function spawnShell(
  command: string,
  options: { cwd?: string | undefined; env?: Environment | undefined },
): Promise<ShellProcess> {
  const limit = `--nproc=${COMMAND_PROCESS_LIMIT}:${COMMAND_PROCESS_LIMIT}`;
  const [stdout, stderr] = await Promise.all([openOutputPipe(), openOutputPipe()]);
  const child = spawn("/usr/bin/prlimit", [limit, "--", "/bin/bash", "-c", command], {
    cwd: options.cwd ?? DEFAULT_DIRECTORY,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", stdout.writeEnd, stderr.writeEnd],
    detached: true,
  });
  closeWriteEnds(stdout, stderr);
  const exit = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(exitCode(code, signal)));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("The shell has no process id");
  const read = Promise.allSettled([finished(stdout.output), finished(stderr.output)]);
  const exited = exit.then(async (code) => {
    await atMost(OPEN_PIPE_GRACE_MS, read);
    return code;
  });
  return { pid, stdout: stdout.output, stderr: stderr.output, exited };
}

/** The exit code a shell would report: 128 + the signal's number for a process that a signal ended. */
function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code;
  return signal === null ? 1 : 128 + constants.signals[signal];
}

async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/** Signals a process group. A group that is gone already is no error. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nothing left to signal.
  }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends a process group: SIGTERM first, SIGKILL for what is still there after the grace period. */
export async function terminateGroup(pid: number, graceMs: number = TERMINATE_GRACE_MS): Promise<void> {
  signalGroup(pid, "SIGTERM");
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    if (!groupExists(pid)) return;
    await new Promise((resolve) => setTimeout(resolve, GROUP_POLL_MS));
  }
  signalGroup(pid, "SIGKILL");
}

export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
