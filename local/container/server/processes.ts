import { RpcTarget } from "capnweb";
import type { ExecuteOptions } from "./commands.ts";
import { failure } from "./failure.ts";
import type { BackgroundProcess, ProcessTable } from "./process-table.ts";
import type { Sessions } from "./sessions.ts";

interface StartOptions extends ExecuteOptions {
  processId?: string;
}

/** rpc group `processes`: background processes with their logs. */
export class Processes extends RpcTarget {
  readonly #sessions: Sessions;
  readonly #table: ProcessTable;

  constructor(sessions: Sessions, table: ProcessTable) {
    super();
    this.#sessions = sessions;
    this.#table = table;
  }

  async startProcess(command: string, sessionId?: string, options: StartOptions = {}) {
    const { cwd, env } = this.#sessions.place(sessionId);
    const started = await this.#table.start(command, {
      id: options.processId,
      cwd: options.cwd ?? cwd,
      env: { ...env, ...options.env },
      timeoutMs: options.timeoutMs,
    });
    return { success: true, processId: started.id, pid: started.pid, command, timestamp: started.startTime };
  }

  listProcesses() {
    return { success: true, processes: this.#table.list().map(described), timestamp: now() };
  }

  getProcess(id: string) {
    return { success: true, process: described(this.#table.get(id)), timestamp: now() };
  }

  async killProcess(id: string) {
    const found = this.#table.get(id);
    if (found.exitCode !== undefined) {
      throw failure("COMMAND_NOT_FOUND", `Process ${id} has already ended`, { command: found.command });
    }
    await found.kill();
    return { success: true, processId: id, timestamp: now() };
  }

  async killAllProcesses() {
    const running = this.#table.list().filter((one) => one.exitCode === undefined);
    await Promise.all(running.map((one) => one.kill()));
    return { success: true, cleanedCount: running.length, timestamp: now() };
  }

  getProcessLogs(id: string) {
    const { stdout, stderr } = this.#table.get(id).output;
    return { success: true, processId: id, stdout, stderr, timestamp: now() };
  }

  streamProcessLogs(id: string): ReadableStream<Uint8Array> {
    return this.#table.get(id).logs();
  }
}

function now(): string {
  return new Date().toISOString();
}

function described({ id, pid, command, status, startTime, endTime, exitCode }: BackgroundProcess) {
  return {
    id,
    pid,
    command,
    status,
    startTime,
    ...(endTime === undefined ? {} : { endTime }),
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}
