import { StringDecoder } from "node:string_decoder";
import { eventStream, type ServerEvent } from "./event-stream.ts";
import { failure, messageOf } from "./failure.ts";
import { spawnShell, terminateGroup, type Environment, type ShellProcess } from "./shell.ts";

export type ProcessStatus = "running" | "completed" | "failed" | "killed" | "error";

/** Of each output stream of a process, the last part of this many characters is kept. */
const KEPT_OUTPUT = 1024 * 1024;
/** Processes that have ended and are still listed. */
const KEPT_PROCESSES = 100;

type Source = "stdout" | "stderr";

interface Listener {
  output(source: Source, data: string): void;
  exit(exitCode: number): void;
  /** True while the listener cannot take more and wants the process to wait. */
  full(): boolean;
}

/** A process started in the background, with the end of its output. */
export class BackgroundProcess {
  readonly id: string;
  readonly command: string;
  readonly pid: number;
  readonly startTime: string = new Date().toISOString();
  endTime: string | undefined;
  exitCode: number | undefined;
  status: ProcessStatus = "running";
  readonly output: Record<Source, string> = { stdout: "", stderr: "" };
  readonly #child: ShellProcess;
  readonly #listeners = new Set<Listener>();

  constructor(id: string, command: string, child: ShellProcess, timeoutMs: number | undefined) {
    this.id = id;
    this.command = command;
    this.pid = child.pid;
    this.#child = child;
    this.#collect("stdout");
    this.#collect("stderr");
    void this.#follow(timeoutMs);
  }

  async #follow(timeoutMs: number | undefined): Promise<void> {
    let timedOut = false;
    const end = () => {
      timedOut = true;
      void terminateGroup(this.pid);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
    const exitCode = await this.#child.exited;
    clearTimeout(timer);
    if (timedOut) this.#add("stderr", `Command timed out after ${timeoutMs}ms\n`);
    this.#end(timedOut ? 124 : exitCode);
  }

  #collect(source: Source): void {
    const decoder = new StringDecoder("utf8");
    this.#child[source].on("data", (chunk: Buffer) => this.#add(source, decoder.write(chunk)));
    this.#child[source].on("end", () => this.#add(source, decoder.end()));
  }

  #add(source: Source, data: string): void {
    if (data === "") return;
    const all = this.output[source] + data;
    // Cutting only at twice the size keeps a chatty process from copying a megabyte per line.
    this.output[source] = all.length > 2 * KEPT_OUTPUT ? all.slice(-KEPT_OUTPUT) : all;
    for (const listener of this.#listeners) listener.output(source, data);
    this.#hold();
  }

  #hold(): void {
    const full = [...this.#listeners].some((listener) => listener.full());
    for (const pipe of [this.#child.stdout, this.#child.stderr]) {
      if (full) pipe.pause();
      else pipe.resume();
    }
  }

  #end(exitCode: number): void {
    this.exitCode = exitCode;
    this.endTime = new Date().toISOString();
    if (this.status === "running") {
      this.status = exitCode === 0 ? "completed" : exitCode === 137 || exitCode === 143 ? "killed" : "failed";
    }
    for (const listener of this.#listeners) listener.exit(exitCode);
    this.#listeners.clear();
    this.#hold();
  }

  /** Ends the whole process group and returns when it is gone. */
  async kill(): Promise<void> {
    this.status = "killed";
    await terminateGroup(this.pid);
  }

  /** What is kept of the output, then what follows, then the exit: the format of streamProcessLogs. */
  logs(): ReadableStream<Uint8Array> {
    return this.#stream({
      named: false,
      waits: false,
      event: (source, data) => ({ type: source, data, processId: this.id }),
      last: (exitCode) => ({
        type: "exit",
        exitCode,
        processId: this.id,
        data: `Process exited with code ${exitCode}`,
      }),
    });
  }

  /** The format of executeStream. The process waits when the reader is slow: none of a command's output is lost. */
  events(sessionId: string): ReadableStream<Uint8Array> {
    return this.#stream({
      named: true,
      waits: true,
      first: { type: "start", command: this.command, sessionId, pid: this.pid },
      event: (source, data) => ({ type: source, data }),
      last: (exitCode) => ({ type: "complete", exitCode }),
    });
  }

  #stream(format: {
    named: boolean;
    waits: boolean;
    first?: ServerEvent;
    event: (source: Source, data: string) => ServerEvent;
    last: (exitCode: number) => ServerEvent;
  }): ReadableStream<Uint8Array> {
    const events = eventStream({
      named: format.named,
      onDrain: () => this.#hold(),
      onEnd: () => {
        this.#listeners.delete(listener);
        this.#hold();
      },
    });
    const send = (event: ServerEvent) => events.send({ ...event, timestamp: new Date().toISOString() });
    const listener: Listener = {
      output: (source, data) => send(format.event(source, data)),
      exit: (exitCode) => {
        send(format.last(exitCode));
        events.close();
      },
      full: () => format.waits && events.full,
    };
    if (format.first !== undefined) send(format.first);
    for (const source of ["stdout", "stderr"] as const) {
      if (this.output[source] !== "") listener.output(source, this.output[source]);
    }
    if (this.exitCode !== undefined) listener.exit(this.exitCode);
    else this.#listeners.add(listener);
    return events.stream;
  }
}

/** The background processes of the jail, by id. */
export class ProcessTable {
  readonly #processes = new Map<string, BackgroundProcess>();
  #count = 0;

  async start(
    command: string,
    options: { id?: string | undefined; cwd: string; env: Environment; timeoutMs?: number | undefined },
  ): Promise<BackgroundProcess> {
    if (command.trim() === "") throw failure("INVALID_COMMAND", "The command is empty");
    this.#count += 1;
    const id = options.id ?? `proc_${Date.now()}_${this.#count}`;
    const child = await spawnShell(command, options).catch((error: unknown) => {
      throw failure("STREAM_START_ERROR", `Failed to start '${command}' in '${options.cwd}': ${messageOf(error)}`, {
        command,
        stderr: messageOf(error),
      });
    });
    const started = new BackgroundProcess(id, command, child, options.timeoutMs);
    this.#processes.set(id, started);
    this.#forgetOldest();
    return started;
  }

  list(): BackgroundProcess[] {
    return [...this.#processes.values()];
  }

  get(id: string): BackgroundProcess {
    const found = this.#processes.get(id);
    if (found === undefined) throw failure("PROCESS_NOT_FOUND", `Process ${id} not found`, { processId: id });
    return found;
  }

  /** Tells every process to stop, and returns when all are gone or were killed. */
  async stop(graceMs: number): Promise<void> {
    // Also of a process that has exited: its children may live on in the group.
    await Promise.all(this.list().map((one) => terminateGroup(one.pid, graceMs)));
  }

  #forgetOldest(): void {
    const ended = this.list().filter((one) => one.exitCode !== undefined);
    for (const one of ended.slice(0, Math.max(0, ended.length - KEPT_PROCESSES))) this.#processes.delete(one.id);
  }
}
