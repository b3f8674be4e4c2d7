import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unstable_startWorker } from "wrangler";
import { WebSocket } from "ws";
import { z } from "zod";
import { eventually, startTestHost, type TestHost } from "./container-under-test.ts";

/** The real Sandbox class of the SDK, in workerd, on the stand-in container. */
let host: TestHost;
let worker: Awaited<ReturnType<typeof unstable_startWorker>>;

/** Not `createTestHarness`: it sends the Worker's requests through Node's fetch, which cannot open a WebSocket. */
function startWorker() {
  return unstable_startWorker({
    config: fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url)),
    bindings: {
      CONTAINER_HOST_URL: { type: "plain_text", value: host.url },
      CONTAINER_HOST_TOKEN: { type: "plain_text", value: host.token },
    },
    dev: {
      logLevel: "none",
      watch: false,
      persist: false,
      inspector: false,
      enableContainers: false,
      server: { hostname: "127.0.0.1", port: 0 },
    },
  });
}

beforeAll(async () => {
  host = await startTestHost();
  worker = await startWorker();
});

afterAll(async () => {
  await worker.dispose();
  await host[Symbol.asyncDispose]();
});

async function get(path: string, init?: RequestInit): Promise<Response> {
  return fetch(new URL(path, await worker.url), init);
}

const Answer = z.object({
  result: z.unknown().optional(),
  error: z.object({ kind: z.string(), message: z.string() }).optional(),
});

async function call(method: string, ...args: unknown[]): Promise<z.infer<typeof Answer>> {
  const response = await get("/box/call", { method: "POST", body: JSON.stringify({ method, args }) });
  return Answer.parse(await response.json());
}

async function isRunning(): Promise<boolean> {
  return (await call("isRunning")).result === true;
}

async function containerId(): Promise<string> {
  return z.string().parse((await call("containerId")).result);
}

/** The SDK's own race: its object hears of a stop by alarm, and may interrupt the call that has just woken the container. */
async function callAgain(method: string, ...args: unknown[]) {
  const first = await call(method, ...args);
  return first.error?.kind === "OperationInterruptedError" ? call(method, ...args) : first;
}

const SERVICE = `
const http = require('http');
const { WebSocketServer } = require('/opt/sandbox-server/node_modules/ws');
const server = http.createServer((req, res) => res.end(req.method + ' ' + req.url + ' ' + req.headers.host));
new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
server.listen(8080);
`;

test("runs commands", async () => {
  expect(await call("exec", "echo out; echo err >&2; pwd; exit 2")).toMatchObject({
    result: { success: false, exitCode: 2, stdout: "out\n/workspace\n", stderr: "err\n" },
  });
  const { result } = await call("execStream", "echo streamed");
  expect(result).toContain('"type":"stdout","data":"streamed\\n"');
});

test("reads and writes files, with typed errors", async () => {
  await call("mkdir", "/workspace/sub", { recursive: true });
  await call("writeFile", "/workspace/sub/file", "content");
  expect(await call("readFile", "/workspace/sub/file")).toMatchObject({ result: { content: "content" } });
  expect(await call("listFiles", "/workspace/sub")).toMatchObject({ result: { count: 1 } });
  expect((await call("readFile", "/workspace/none")).error?.kind).toBe("FileNotFoundError");
  expect(await call("exists", "/workspace/sub")).toMatchObject({ result: { exists: true } });
});

describe("a process with a port", () => {
  test("answers HTTP and WebSockets through the Worker", async () => {
    await call("writeFile", "/tmp/service.cjs", SERVICE);
    await call("startProcess", "node /tmp/service.cjs", { processId: "service" });
    await eventually(async () => (await get("/box/port/8080/")).ok);
    expect(await (await get("/box/port/8080/path?q=1", { method: "PUT" })).text()).toBe(
      "PUT /path?q=1 inside.test:8080",
    );

    const socket = new WebSocket(new URL("/box/port/8080/", await worker.url));
    await once(socket, "open");
    const large = "x".repeat(3 * 1024 * 1024);
    socket.send(large);
    const [echo] = await once(socket, "message");
    expect(String(echo)).toBe(large);
    socket.close();
    await once(socket, "close");
  });

  test("is listed, logged and killed", async () => {
    expect((await call("listProcesses")).result).toContainEqual(
      expect.objectContaining({ id: "service", status: "running" }),
    );
    await call("startProcess", "echo logged", { processId: "logs" });
    await eventually(async () => JSON.stringify(await call("getProcessLogs", "logs")).includes("logged"));
    expect((await call("streamProcessLogs", "logs")).result).toContain('"type":"exit"');
    await call("killProcess", "service");
    expect(await call("getProcess", "service")).toMatchObject({ result: { status: "killed" } });
    expect(await (await get("/box/port/8080/")).text()).toContain("the container is not listening");
  });
});

test("sleeps when told to stop, and wakes at the next call with its files", async () => {
  await call("stop");
  await eventually(async () => !(await isRunning()));
  expect(await callAgain("exec", "cat /workspace/sub/file")).toMatchObject({ result: { stdout: "content" } });
  expect(await isRunning()).toBe(true);
});

test("finds its running container again after the object was evicted", async () => {
  await call("exec", "echo alive > /tmp/marker");
  await call("evict");
  expect(await isRunning()).toBe(true);
  expect(await call("exec", "cat /tmp/marker")).toMatchObject({ result: { stdout: "alive\n" } });
});

test("notices that its container has died while the object was evicted", async () => {
  const id = await containerId();
  await call("evict");
  await host.container(id).call("destroy", {});
  expect(await isRunning()).toBe(false);
  expect(await callAgain("exec", "ls /tmp/marker 2>&1 || echo gone")).toMatchObject({
    result: { stdout: expect.stringContaining("gone") },
  });
});

test("finds its running container again after the Worker was restarted", async () => {
  const id = await containerId();
  await call("exec", "echo survives > /tmp/marker");
  await worker.dispose();
  expect(await host.container(id).running()).toBe(true);
  worker = await startWorker();
  expect(await call("exec", "cat /tmp/marker")).toMatchObject({ result: { stdout: "survives\n" } });
});

test("is gone when destroyed", async () => {
  await call("destroy");
  expect(await isRunning()).toBe(false);
});
