import { chmod, open } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join as joinPath } from "node:path";
import type { Duplex, Readable } from "node:stream";
import type { JailPlan } from "./jail-arguments.ts";
import { spawnJail, type Jail } from "./jail.ts";
import { join, readFirstLine } from "./server/join.ts";
import {
  LONGEST_GREETING,
  parseGreeting,
  socketFile,
  STOP_GRACE_MS,
  type Order,
  type SocketName,
} from "./server/wire.ts";

/** How long a request waits for a jail that was just started to listen, and for the answer to a dial. */
const READY_TIMEOUT_MS = 15_000;
const DIAL_TIMEOUT_MS = 10_000;
/** Connections a jail may have open on one socket of its own. */
const CONNECTION_LIMIT = 1024;
const LONGEST_LOG_LINE = 4000;

export type Dialled =
  | { type: "open"; stream: Duplex }
  /** Nothing listens on the port; the jail is gone; the server inside does not answer. */
  | { type: "not-listening" | "not-running" | "no-answer" };

/** The exit code as a shell reports it (128 + number for a signal). */
export interface Exit {
  exitCode: number;
}

export interface JailedContainer {
  readonly running: boolean;
  /** Resolves when everything in the jail has ended, and what it left is kept. */
  readonly exited: Promise<Exit>;
  /** Asks the processes to end, and kills what has not after STOP_GRACE_MS. */
  stop(): void;
  /** Kills the jail at once. */
  kill(): void;
  /** Opens a connection to a port inside. Waits for a jail that is still starting. */
  dial(port: number): Promise<Dialled>;
}

/** Starts a container: the command (the container server) in a jail, with the sockets that are its way out. */
export async function startJailedContainer(options: {
  plan: JailPlan;
  command: string[];
  bridge: () => { host: string; port: number };
  egress: (socket: Socket) => void;
  log: (line: string) => void;
  /** What is left to do when everything in it has ended; `exited` waits for it. */
  afterwards: () => Promise<void>;
}): Promise<JailedContainer> {
  const { plan, log } = options;
  const pending = new Map<number, (dialled: Dialled) => void>();
  const ready = Promise.withResolvers<void>();

  async function greet(socket: Socket): Promise<void> {
    const greeting = parseGreeting((await readFirstLine(socket, LONGEST_GREETING)) ?? "");
    if (greeting?.type === "ready") ready.resolve();
    const settle = greeting?.type === "stream" ? pending.get(greeting.id) : undefined;
    if (greeting?.type !== "stream" || settle === undefined || greeting.result !== "ok") socket.destroy();
    if (greeting?.type !== "stream") return;
    settle?.(greeting.result === "ok" ? { type: "open", stream: socket } : { type: "not-listening" });
  }

  const listeners = await Promise.all([
    listen(plan.directories.sockets, "link", (socket) => void greet(socket)),
    listen(plan.directories.sockets, "egress", options.egress),
    listen(plan.directories.sockets, "bridge", (socket) => {
      const worker = connect({ ...options.bridge(), allowHalfOpen: true, noDelay: true });
      join(socket, worker);
    }),
  ]);
  const jail = spawnJail(plan, options.command);
  for (const output of [jail.stdout, jail.stderr]) logLines(output, log);

  let running = true;
  const over = async (): Promise<Exit> => {
    const how = await exit(jail, log);
    running = false;
    for (const settle of pending.values()) settle({ type: "not-running" });
    for (const listener of listeners) listener.close();
    await options.afterwards();
    return how;
  };
  const exited = over();

  const send = (order: Order) => jail.stdin.write(`${JSON.stringify(order)}\n`);
  let lastStream = 0;

  async function dial(port: number): Promise<Dialled> {
    const state = await within(READY_TIMEOUT_MS, [ready.promise.then(() => "ready"), exited.then(() => "exited")]);
    if (state === "exited" || !running) return { type: "not-running" };
    if (state !== "ready") return { type: "no-answer" };
    lastStream += 1;
    const id = lastStream;
    const answer = new Promise<Dialled>((resolve) => pending.set(id, resolve));
    send({ type: "open", id, port });
    const dialled = await within(DIAL_TIMEOUT_MS, [answer]);
    pending.delete(id);
    return dialled ?? { type: "no-answer" };
  }

  function stop(): void {
    send({ type: "stop" });
    const timer = setTimeout(() => jail.kill("SIGKILL"), STOP_GRACE_MS);
    void exited.then(() => clearTimeout(timer));
  }

  return {
    get running() {
      return running;
    },
    exited,
    stop,
    kill: () => void jail.kill("SIGKILL"),
    dial,
  };
}

/** A line without end is cut, and nothing in a line can speak to the terminal that shows the log. */
function logLines(output: Readable, log: (line: string) => void): void {
  let line = "";
  output.setEncoding("utf8");
  output.on("data", (chunk: string) => {
    const [first = "", ...rest] = chunk.split("\n");
    line = (line + first).slice(0, LONGEST_LOG_LINE);
    for (const next of rest) {
      // oxlint-disable-next-line no-control-regex
      log(line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ""));
      line = next.slice(0, LONGEST_LOG_LINE);
    }
  });
}

/** `close` and not `exit`: the pipes close when the last process inside is gone. */
function exit(jail: Jail, log: (line: string) => void): Promise<Exit> {
  return new Promise((resolve) => {
    jail.once("error", (error) => {
      log(`cannot start bwrap: ${error.message}`);
      resolve({ exitCode: 127 });
    });
    jail.once("close", (code, signal) => resolve({ exitCode: code ?? (signal === "SIGKILL" ? 137 : 143) }));
  });
}

/**
 * Listens on a socket the jail's user may connect to. The path goes through a descriptor of the directory, because the
 * path of a socket may have 107 bytes only, and a project's folder can be longer than that.
 */
async function listen(directory: string, name: SocketName, accept: (socket: Socket) => void): Promise<Server> {
  const handle = await open(directory);
  const path = `/proc/self/fd/${handle.fd}/${socketFile(name)}`;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    accept(socket);
  });
  server.maxConnections = CONNECTION_LIMIT;
  server.on("close", () => void handle.close());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chmod(joinPath(directory, socketFile(name)), 0o666);
  return server;
}

/** The first of the promises to settle, or `undefined` after the time. */
async function within<T>(ms: number, promises: Promise<T>[]): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return Promise.race([...promises, late]).finally(() => clearTimeout(timer));
}
