import { pause } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { RecordStorage } from "./record.ts";

export interface ProcessState {
  pid: number | undefined;
  running: boolean;
  exitCode: number | undefined;
}

/** What the supervisor needs of the container; the Sandbox object implements it. */
export interface GatewayHost {
  storage: RecordStorage;
  running(): boolean;
  /** HTTP to a port of the running container; throws when nothing listens. Never starts the container. */
  probe(port: number, path: string, signal: AbortSignal): Promise<Response>;
  /** These two start the container if they have to. */
  write(path: string, content: string): Promise<void>;
  start(command: string, id: string, env: Record<string, string>): Promise<void>;
  /** Undefined when no such process is known. These three never start the container; they throw when it does not answer soon. */
  process(id: string): Promise<ProcessState | undefined>;
  logs(id: string): Promise<string>;
  /** To a process and all of its group, where it leads one. */
  signal(name: "TERM" | "KILL", pid: number): Promise<void>;
  /** Ends everything in order, the container included. */
  sleep(): Promise<void>;
  /** Told when the gateway has come up. */
  started(): void;
}

/** As `process`; in a container that is too busy to say so soon, it runs. */
export async function stateOf(host: GatewayHost, id: string): Promise<ProcessState> {
  try {
    return (await host.process(id)) ?? { pid: undefined, running: false, exitCode: undefined };
  } catch (error) {
    if (error instanceof Failure && error.code === "timeout")
      return { pid: undefined, running: true, exitCode: undefined };
    throw error;
  }
}

/** Ends a process: asked first, killed with its group after `withinMs`. */
export async function endProcess(host: GatewayHost, id: string, withinMs: number): Promise<void> {
  const before = await stateOf(host, id);
  if (!before.running || before.pid === undefined) return;
  const { pid } = before;
  // Not by the container's own way of ending a process, which allows it no time.
  await host.signal("TERM", pid);
  const end = Date.now() + withinMs;
  while (Date.now() < end && (await stateOf(host, id)).running) await pause(100);
  // Also when it has ended: what it had started may go on.
  await host.signal("KILL", pid);
  while (Date.now() < end + 2_000 && (await stateOf(host, id)).running) await pause(100);
}
