import { pause } from "../core/deadline.ts";
import type { RecordStorage } from "./record.ts";
import type { ShellResult } from "./results.ts";

/** What the supervisor needs of the container; the Sandbox object implements it. */
export interface GatewayHost {
  storage: RecordStorage;
  running(): boolean;
  /** HTTP to a port of the running container; throws when nothing listens. Never starts the container. */
  probe(port: number, path: string, signal: AbortSignal): Promise<Response>;
  write(path: string, content: string): Promise<void>;
  start(command: string, id: string, env: Record<string, string>): Promise<void>;
  /** Undefined when no such process is known. */
  process(id: string): Promise<{ pid: number | undefined; running: boolean; exitCode: number | undefined } | undefined>;
  logs(id: string): Promise<string>;
  shell(command: string, env?: Record<string, string>): Promise<ShellResult>;
}

/** Ends a process: asked first, killed with its group after `withinMs`. */
export async function endProcess(host: GatewayHost, id: string, withinMs: number): Promise<void> {
  const before = await host.process(id);
  if (!before?.running || before.pid === undefined) return;
  const { pid } = before;
  // Not by the container's own way of ending a process, which allows it no time.
  await signalGroup(host, "TERM", pid);
  const end = Date.now() + withinMs;
  while (Date.now() < end && (await host.process(id))?.running) await pause(100);
  // Also when it has ended: what it had started may go on.
  await signalGroup(host, "KILL", pid);
  while (Date.now() < end + 2_000 && (await host.process(id))?.running) await pause(100);
}

/** To the process and all of its group, where it leads one. */
async function signalGroup(host: GatewayHost, signal: "TERM" | "KILL", pid: number): Promise<void> {
  await host.shell(`kill -${signal} -- -${pid} 2>/dev/null || kill -${signal} ${pid} 2>/dev/null`);
}
