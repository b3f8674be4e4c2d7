import { pause, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import { type Reply, unwrap } from "../core/reply.ts";
import type { ShellResult } from "./results.ts";

const SCRIPT_FILE = "/opt/moltbot/command.sh";

/** Where the container's shell is bash already, the script runs in it: another bash costs a tenth of a short command. */
function script(action: "run" | "start" | "output" | "stop" | "list"): string {
  return `if [ "$BASH_VERSION" ]; then . ${SCRIPT_FILE} ${action}; else exec bash ${SCRIPT_FILE} ${action}; fi`;
}

/** Where the script keeps what belongs to a command. */
const COMMAND_FILES = "/home/moltbot/.moltbot/commands";

/** Between the beginning and the end of an output that was cut; no output has it by accident. */
const cutMark = (id: string) => `\u001e${id}\u001e`;

export interface Output {
  /** Whole, or its beginning and end; empty when it is not text. */
  text: string;
  bytes: number;
  truncated: boolean;
  binary: boolean;
  /** Where all of it is kept. */
  path: string;
}

export interface CommandResult {
  outcome: "done" | "timeout";
  exitCode: number;
  stdout: Output;
  stderr: Output;
}

export const COMMAND_STATES = ["running", "done", "timeout", "stopped", "lost"] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

export interface CommandOutput {
  state: CommandState;
  exitCode: number | undefined;
  text: string;
  /** Where the next call goes on, in bytes. */
  cursor: number;
  bytes: number;
}

export interface CommandEntry {
  id: string;
  state: CommandState;
  exitCode: number | undefined;
  bytes: number;
  startedAt: Date;
  /** Its first 200 characters on one line. */
  command: string;
}

export interface CommandRequest {
  command: string;
  cwd: string;
  /** 0 for none. */
  timeoutSeconds: number;
  stdin?: string;
}

/** What the commands need of the sandbox object. */
export interface CommandHost {
  shell(line: string, env: Record<string, string>, caller?: string): Promise<Reply<ShellResult>>;
  runningFor(caller: string): Promise<Record<string, string>[]>;
  putFile(path: string, content: string, encoding: "utf-8" | "base64"): Promise<Reply<void>>;
}

/** Runs a command to its end; when `signal` fires its processes are killed, children that left it included. */
export async function runCommand(
  host: CommandHost,
  request: CommandRequest,
  call: { caller: string; signal: AbortSignal },
): Promise<CommandResult> {
  const { caller, signal } = call;
  const id = newId(caller);
  await writeInput(host, id, request.stdin);
  const running = host.shell(script("run"), commandEnv(id, request), caller).then(unwrap);
  try {
    return parseRun(await raced(running, signal), id, request.cwd);
  } catch (error) {
    if (!signal.aborted) throw error;
    running.catch(() => undefined);
    await killStarting(host, id);
    throw new Failure("cancelled", "The command was cancelled and its processes were killed.", { cause: error });
  }
}

/**
 * Kills the command that runs for this request, for clients that cancel by a message of its own. A caller is one
 * person's one client, whose windows may count their requests alike: with two that fit, neither is touched.
 */
export async function cancelCommand(host: CommandHost, caller: string): Promise<void> {
  const [running, another] = await host.runningFor(caller);
  const id = running?.RUN_ID;
  if (id !== undefined && another === undefined) await killCommand(host, id);
}

/** Starts a command that outlives the call; the id is for the functions below, which know its owner by it. */
export async function startCommand(host: CommandHost, owner: string, request: CommandRequest): Promise<string> {
  const id = newId(owner);
  await writeInput(host, id, request.stdin);
  const { stdout } = unwrap(await host.shell(script("start"), commandEnv(id, request)));
  if (stdout.startsWith("no-directory")) throw noDirectory(request.cwd);
  return id;
}

/** Output from byte `offset` on; waits up to `waitSeconds` for the first new byte or the end. */
export async function readCommand(
  host: CommandHost,
  owner: string,
  id: string,
  range: { offset: number; count: number; waitSeconds: number },
): Promise<CommandOutput> {
  requireOwn(id, owner);
  const env = {
    RUN_ID: id,
    OFFSET: String(range.offset),
    COUNT: String(range.count),
    PATIENCE: String(range.waitSeconds),
  };
  const { header, payload } = split(unwrap(await host.shell(script("output"), env)).stdout);
  const [state, code, size] = header;
  if (state === "unknown") throw unknownCommand();
  const bytes = decodeBase64(payload);
  const total = Number(size ?? 0);
  const known = commandState(state);
  // What ends in half a character and will not go on is shown as it is, or its cursor would never move.
  const ended = known !== "running" && range.offset + bytes.byteLength >= total;
  const { text, consumed } = ended
    ? { text: new TextDecoder().decode(bytes), consumed: bytes.byteLength }
    : wholeCharacters(bytes);
  return { state: known, exitCode: exitCode(code), text, cursor: range.offset + consumed, bytes: total };
}

/** Kills a started command with everything it started; "stuck" when some of it could not be killed. */
export async function stopCommand(host: CommandHost, owner: string, id: string): Promise<CommandState | "stuck"> {
  requireOwn(id, owner);
  return await killCommand(host, id);
}

async function killCommand(host: CommandHost, id: string): Promise<CommandState | "stuck"> {
  const { header } = split(unwrap(await host.shell(script("stop"), { RUN_ID: id })).stdout);
  if (header[0] === "unknown") throw unknownCommand();
  return header[0] === "stuck" ? "stuck" : commandState(header[0]);
}

/** Where all of a started command's output is. */
export function outputFile(id: string): string {
  return `${COMMAND_FILES}/${id}.out`;
}

/** The commands that `owner` started, the newest first. */
export async function listCommands(host: CommandHost, owner: string): Promise<CommandEntry[]> {
  const { payload } = split(unwrap(await host.shell(script("list"), {})).stdout);
  const entries = payload
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id = "", state, code, bytes, started, ...command] = line.split(" ");
      return {
        id,
        state: commandState(state),
        exitCode: exitCode(code),
        bytes: Number(bytes),
        startedAt: new Date(Number(started) * 1000),
        command: command.join(" "),
      };
    });
  return entries
    .filter(({ id }) => id.startsWith(prefixOf(owner)))
    .toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
}

/** Whether a started command of anybody's goes on. `shell` runs a line in the container. */
export async function anyCommandRuns(shell: (line: string) => Promise<ShellResult>): Promise<boolean> {
  const { header, payload } = split((await shell(script("list"))).stdout);
  if (header[0] !== "ok") throw new Failure("internal", "The list of commands could not be read.");
  return payload.split("\n").some((entry) => entry.split(" ")[1] === "running");
}

function commandEnv(id: string, request: CommandRequest): Record<string, string> {
  return { RUN_ID: id, COMMAND: request.command, WORKDIR: request.cwd, LIMIT: String(request.timeoutSeconds) };
}

async function writeInput(host: CommandHost, id: string, stdin: string | undefined): Promise<void> {
  if (stdin !== undefined) unwrap(await host.putFile(`${COMMAND_FILES}/${id}.in`, stdin, "utf-8"));
}

/** A command cancelled right after it was sent may not have come up yet: then there is nothing to kill, so look again. */
async function killStarting(host: CommandHost, id: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const { header } = split(unwrap(await host.shell(script("stop"), { RUN_ID: id })).stdout);
    if (header[0] === "stopped") return;
    await pause(100);
  }
}

function parseRun(result: ShellResult, id: string, cwd: string): CommandResult {
  const { header, payload } = split(result.stdout);
  if (header[0] === "no-directory") throw noDirectory(cwd);
  const [outcome, code, outKind, outBytes, errKind, errBytes, path = ""] = header;
  if (outcome !== "done" && outcome !== "timeout") {
    throw new Failure("internal", "The command's result could not be read.", {
      cause: `header of ${header.length} words`,
    });
  }
  return {
    outcome,
    exitCode: Number(code),
    stdout: output(payload, id, outKind, outBytes, `${path}.out`),
    stderr: output(result.stderr, id, errKind, errBytes, `${path}.err`),
  };
}

function output(shown: string, id: string, kind: string | undefined, bytes: string | undefined, path: string): Output {
  const size = Number(bytes);
  if (kind !== "cut") return { text: shown, bytes: size, truncated: false, binary: kind === "binary", path };
  const [head = "", tail = ""] = shown.split(cutMark(id));
  const missing = size - byteLength(head) - byteLength(tail);
  return { text: `${head}\n… ${missing} bytes left out …\n${tail}`, bytes: size, truncated: true, binary: false, path };
}

function split(stdout: string): { header: string[]; payload: string } {
  const end = stdout.indexOf("\n");
  const line = end === -1 ? stdout : stdout.slice(0, end);
  return { header: line.split(" "), payload: end === -1 ? "" : stdout.slice(end + 1) };
}

/** Text of all whole characters; a character cut off at the end is left for the next call. */
function wholeCharacters(bytes: Uint8Array): { text: string; consumed: number } {
  const decoder = new TextDecoder();
  const text = decoder.decode(bytes, { stream: true });
  const complete = bytes.byteLength - pendingBytes(bytes);
  return { text, consumed: complete };
}

/** How many bytes at the end begin a character without ending it. */
function pendingBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function commandState(word: string | undefined): CommandState {
  const state = COMMAND_STATES.find((known) => known === word);
  if (state) return state;
  throw new Failure("internal", "The command's state could not be read.", { cause: `state "${word}"` });
}

function exitCode(word: string | undefined): number | undefined {
  return word === undefined || word === "-" ? undefined : Number(word);
}

/**
 * An id says whose it is, so that somebody else's is known without asking the container. It keeps people's lists
 * apart and is no wall: whoever may run commands may look at everything in the sandbox.
 */
function newId(owner: string): string {
  return prefixOf(owner) + crypto.randomUUID().replaceAll("-", "").slice(0, 12);
}

/** Of a principal's id, which begins with hexadecimal digits. */
function prefixOf(owner: string): string {
  return `c${owner.slice(0, 12)}`;
}

function requireOwn(id: string, owner: string): void {
  if (!id.startsWith(prefixOf(owner))) throw unknownCommand();
}

function noDirectory(cwd: string): Failure {
  return new Failure("not_found", `There is no directory ${cwd} in the sandbox.`, {
    hint: "Leave cwd out for /workspace, or look with file_list.",
  });
}

function unknownCommand(): Failure {
  return new Failure("not_found", "There is no such command.", { hint: "command_list shows the ids." });
}
