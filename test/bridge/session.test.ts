import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { type BridgeStack, bridgeStack, WAYS } from "./stack.ts";

const versionSchema = z.object({ webSocketDebuggerUrl: z.string(), Browser: z.string() });
const answerSchema = z.object({ id: z.number(), result: z.unknown().optional(), error: z.unknown().optional() });
type Answer = z.output<typeof answerSchema>;

const open: WebSocket[] = [];

async function connect(url: string): Promise<WebSocket> {
  const version = versionSchema.parse(await (await fetch(`${url}/json/version`)).json());
  const socket = new WebSocket(version.webSocketDebuggerUrl);
  open.push(socket);
  await once(socket, "open");
  return socket;
}

function ask(socket: WebSocket, message: { id: number; method: string; params?: unknown }): Promise<Answer> {
  return new Promise((resolve) => {
    socket.on("message", (data: Buffer) => {
      const answer = answerSchema.safeParse(JSON.parse(data.toString()));
      if (answer.success && answer.data.id === message.id) resolve(answer.data);
    });
    socket.send(JSON.stringify(message));
  });
}

const closeOf = async (socket: WebSocket) => z.number().parse((await once(socket, "close"))[0]);

afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});

describe.each(WAYS)("the browser behind the port, reached %s,", (way) => {
  let stack: BridgeStack;

  beforeAll(async () => {
    stack = await bridgeStack({ way });
  });
  afterAll(() => stack?.close());

  it("is not there until somebody asks for it", async () => {
    expect(await stack.sessions()).toEqual([]);
  });

  it("is one for 24 sockets that come at once", async () => {
    const sockets = await Promise.all(Array.from({ length: 24 }, () => connect(stack.url)));
    const answers = await Promise.all(sockets.map((socket, id) => ask(socket, { id, method: "Browser.getVersion" })));
    expect(answers.every(({ error }) => error === undefined)).toBe(true);
    expect(await stack.sessions()).toHaveLength(1);
  });

  it("stays when one client closes it", async () => {
    const [one, other] = [await connect(stack.url), await connect(stack.url)];
    const before = await stack.sessions();
    const closed = closeOf(one);
    expect(await ask(one, { id: 1, method: "Browser.close" })).toMatchObject({ id: 1, result: {} });
    expect(await closed).toBe(1000);
    expect(await ask(other, { id: 2, method: "Browser.getVersion" })).toHaveProperty("result");
    expect(await stack.sessions()).toEqual(before);
  });

  it("is replaced when it dies, and its clients are told", async () => {
    const socket = await connect(stack.url);
    const before = await stack.sessions();
    const closed = closeOf(socket);
    await stack.crash();
    expect(await closed).toBeGreaterThanOrEqual(1000);
    const again = await connect(stack.url);
    expect(await ask(again, { id: 1, method: "Browser.getVersion" })).toHaveProperty("result");
    expect(await stack.sessions()).not.toEqual(before);
    expect(await stack.sessions()).toHaveLength(1);
  });

  it("is found again by an object that has forgotten everything", async () => {
    await connect(stack.url);
    const before = await stack.sessions();
    await stack.evict();
    await connect(stack.url);
    expect(await stack.sessions()).toEqual(before);
  });

  it("is opened by nobody without the token, and by no web page", async () => {
    expect((await fetch(`${stack.bridgeUrl}/json/version`)).status).toBe(401);
    expect((await fetch(`${stack.workerUrl}/intercepted/another/json/version`)).status).toBe(401);
    expect((await fetch(`${stack.url}/json/version`, { headers: { origin: "https://evil.test" } })).status).toBe(403);
    const refused = new WebSocket(`${stack.bridgeUrl.replace("http", "ws")}/devtools/browser/x`);
    open.push(refused);
    const [error] = await once(refused, "error");
    expect(String(error)).toContain("401");
    const page = new WebSocket(`${stack.url.replace("http", "ws")}/devtools/browser/x`, {
      origin: "https://evil.test",
    });
    open.push(page);
    expect(String((await once(page, "error"))[0])).toContain("403");
  });

  it("opens, lists and closes pages over HTTP", async () => {
    const opened = z
      .object({ id: z.string(), url: z.string(), webSocketDebuggerUrl: z.string() })
      .parse(await (await fetch(`${stack.url}/json/new?about:blank%23here`, { method: "PUT" })).json());
    const listed = async () =>
      z.array(z.object({ id: z.string() })).parse(await (await fetch(`${stack.url}/json/list`)).json());
    expect(await listed()).toContainEqual({ id: opened.id });
    const page = new WebSocket(opened.webSocketDebuggerUrl);
    open.push(page);
    await once(page, "open");
    const evaluated = await ask(page, { id: 1, method: "Runtime.evaluate", params: { expression: "location.href" } });
    expect(evaluated.result).toMatchObject({ result: { value: "about:blank#here" } });
    await fetch(`${stack.url}/json/close/${opened.id}`);
    await expect.poll(listed).not.toContainEqual({ id: opened.id });
    for (const address of [
      "file:///etc/passwd",
      "chrome://version",
      "about:version",
      "view-source:file:///etc/passwd",
    ]) {
      expect((await fetch(`${stack.url}/json/new?${address}`, { method: "PUT" })).status).toBe(400);
    }
  });
});

describe("a browser that is not used", () => {
  let stack: BridgeStack;

  beforeAll(async () => {
    stack = await bridgeStack({ limits: { unusedMs: 500, silentMs: 3_000 } });
  });
  afterAll(() => stack?.close());

  it("is closed some time after its last client", async () => {
    const socket = await connect(stack.url);
    expect(await stack.sessions()).toHaveLength(1);
    socket.close();
    await expect.poll(() => stack.sessions(), { timeout: 60_000 }).toEqual([]);
  });

  it("is closed under clients that say nothing", async () => {
    const socket = await connect(stack.url);
    expect(await closeOf(socket)).toBeGreaterThanOrEqual(1000);
    await expect.poll(() => stack.sessions(), { timeout: 60_000 }).toEqual([]);
  });

  it("leaves none behind after it was forgotten", async () => {
    await connect(stack.url);
    await stack.evict();
    await expect.poll(() => stack.sessions(), { timeout: 60_000 }).toEqual([]);
  });
});
