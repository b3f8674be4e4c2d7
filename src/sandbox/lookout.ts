import { newWebSocketRpcSession } from "capnweb";
import { z } from "zod";
import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { ProcessState } from "./processes.ts";
import type { ShellResult } from "./results.ts";
import { NO_SESSION } from "./wire.ts";

/** The port of the container's own server, and the path of its rpc. */
const SERVER = "http://localhost:3000/rpc";
export const SERVER_PORT = 3000;
/** A container that does not answer by then is too busy, or does not answer any more. */
const WITHIN_MS = 10_000;

/** What is asked of the SDK's server in the container, in its own words. */
interface Server {
  commands: { execute(line: string, sessionId: string): Promise<unknown> };
  processes: { listProcesses(): Promise<unknown>; getProcessLogs(id: string): Promise<unknown> };
}

const processList = z.object({
  processes: z.array(
    z.object({ id: z.string(), pid: z.number().optional(), status: z.string(), exitCode: z.number().nullish() }),
  ),
});
const outputs = z.object({ stdout: z.string(), stderr: z.string() });
const executed = outputs.extend({ exitCode: z.number() });

/** The running container's port, or undefined: then there is nothing to look at. */
export type ServerPort = () => Pick<Fetcher, "fetch"> | undefined;

/**
 * Looks into the running container. Past the SDK, to which each call is use: it would start a container that has just stopped,
 * and put off the sleep of one that nobody uses. Throws Failure: unavailable without a container, timeout when it is too busy.
 */
export class Lookout {
  readonly #port: ServerPort;

  constructor(port: ServerPort) {
    this.#port = port;
  }

  /** Undefined when no such process is known. */
  async process(id: string): Promise<ProcessState | undefined> {
    const { processes } = processList.parse(await this.#ask((server) => server.processes.listProcesses()));
    const found = processes.find((process) => process.id === id);
    if (!found) return undefined;
    const running = found.status === "running" || found.status === "starting";
    return { pid: found.pid, running, exitCode: found.exitCode ?? undefined };
  }

  /** All that a process has said and is still kept. */
  async output(id: string): Promise<string> {
    const { stdout, stderr } = outputs.parse(await this.#ask((server) => server.processes.getProcessLogs(id)));
    return `${stdout}\n${stderr}`;
  }

  /** A shell line that is over soon. */
  async shell(line: string): Promise<ShellResult> {
    return executed.parse(await this.#ask((server) => server.commands.execute(line, NO_SESSION)));
  }

  async #ask(question: (server: Server) => Promise<unknown>): Promise<unknown> {
    using patience = deadline(WITHIN_MS);
    try {
      return await raced(this.#answer(question), patience.signal);
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw new Failure("unavailable", "The sandbox cannot be looked into.", { cause });
    }
  }

  async #answer(question: (server: Server) => Promise<unknown>): Promise<unknown> {
    const port = this.#port();
    if (!port) throw new Failure("unavailable", "The sandbox does not run.");
    const { webSocket } = await port.fetch(SERVER, { headers: { upgrade: "websocket", connection: "Upgrade" } });
    if (!webSocket) throw new Failure("unavailable", "The sandbox does not take a connection.");
    webSocket.accept();
    using server = newWebSocketRpcSession<Server>(webSocket);
    return await question(server);
  }
}
