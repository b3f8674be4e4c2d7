import { RpcSession, type RpcStub } from "capnweb";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { z } from "zod";
import { startContainerHost } from "../../local/container/host.ts";
import type { SandboxApi } from "../../local/container/server/api.ts";
import { socketTransport } from "../../local/container/server/transport.ts";

/** What the SDK sends for a call without a session. */
export const NO_SESSION = "__DISABLE_SESSION__";

export const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
export const NODE_BINARY = join(PROJECT, "node_modules/node/bin/node");
export const CONTAINER_DIRECTORY = join(PROJECT, "container");

type Init = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

export interface TestContainer {
  start(env?: Record<string, string>): Promise<Response>;
  /** The rpc api of the server inside. */
  api(): Promise<RpcStub<SandboxApi>>;
  /** A fresh shell inside: its output, or an error with its stderr. */
  sh(command: string): Promise<string>;
  fetch(port: number, path?: string, init?: Init): Promise<Response>;
  webSocket(port: number, path?: string): WebSocket;
  call(action: string, body?: unknown): Promise<Response>;
  running(): Promise<boolean>;
}

/** A container as one of the host's clients sees it. */
export function containerOf(host: { url: string; token: string }, id: string): TestContainer & AsyncDisposable {
  const base = `${host.url}/containers/${id}`;
  const headers = { "x-container-host-token": host.token };
  const sockets: WebSocket[] = [];
  let session: Promise<RpcStub<SandboxApi>> | undefined;
  const call = (action: string, body?: unknown) =>
    fetch(
      `${base}/${action}`,
      body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) },
    );
  const webSocket = (port: number, path = "/") => {
    const socket = new WebSocket(`${base.replace("http", "ws")}/ports/${port}${path}`, { headers });
    sockets.push(socket);
    return socket;
  };
  const connect = async () => {
    const socket = webSocket(3000, "/rpc");
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    socket.once("close", () => (session = undefined));
    return new RpcSession<SandboxApi>(socketTransport(socket)).getRemoteMain();
  };
  const api = () => (session ??= connect());
  return {
    start: (env = {}) => call("start", { env }),
    api,
    async sh(command) {
      const { stdout, stderr, exitCode } = await (await api()).commands.execute(command, NO_SESSION);
      if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stdout}${stderr}`);
      return stdout;
    },
    fetch: (port, path = "/", init = {}) =>
      fetch(`${base}/ports/${port}${path}`, { ...init, headers: { ...headers, ...init.headers } }),
    webSocket,
    call,
    running: async () => z.object({ running: z.boolean() }).parse(await (await call("status")).json()).running,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.terminate();
      await call("destroy", {});
    },
  };
}

export interface TestHost extends AsyncDisposable {
  url: string;
  token: string;
  stateDir: string;
  log: string[];
  container(id: string): TestContainer & AsyncDisposable;
}

/** A container host with a state folder of its own. */
export async function startTestHost(
  options: Partial<Parameters<typeof startContainerHost>[0]> = {},
): Promise<TestHost> {
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-test-"));
  const log: string[] = [];
  const host = await startContainerHost({
    stateDir,
    nodeBinary: NODE_BINARY,
    containerDir: CONTAINER_DIRECTORY,
    bridge: () => ({ host: "127.0.0.1", port: 9 }),
    log: (line) => log.push(line),
    ...options,
  });
  return {
    url: host.url,
    token: host.token,
    stateDir,
    log,
    container: (id) => containerOf(host, id),
    async [Symbol.asyncDispose]() {
      await host.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Asks again until the answer is true; throws after the time, so that a test never hangs. */
export async function eventually(check: () => Promise<boolean> | boolean, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error("It did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * All threads of this machine, at one moment. Counting the numbers in /proc instead counts many processes of a fork bomb
 * twice: they come and go while the folder is read.
 */
export async function threadsOfTheMachine(): Promise<number> {
  const [, threads] = /\d+\/(\d+)/.exec(await readFile("/proc/loadavg", "utf8")) ?? [];
  return Number(threads);
}
