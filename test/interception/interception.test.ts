import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { startStack, type Stack } from "../../local/stack.ts";

const KEEPER = join(import.meta.dirname, "../../container/keeper/main.ts");

/** The bot's own container, as its object is named. */
const OWN = "moltbot";

let directory: string;
let stack: Stack;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "moltbot-interception-"));
  stack = await startStack({
    stateDir: join(directory, "stack"),
    entry: join(import.meta.dirname, "fixture", "worker.ts"),
    variables: { EGRESS_ALLOW: "on-the-list.example, *.below.example" },
  });
});
afterAll(async () => {
  await stack?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Where what the container sends to the host is handed to the Worker. */
function sent(container: string, host: string): string {
  return `${stack.url}/sent/${container}/${host}`;
}

const QUESTION = JSON.stringify({
  model: "moltbot",
  max_tokens: 100,
  stream: true,
  messages: [{ role: "user", content: "hello there" }],
});

describe("what the bot's own container sends to the internal hosts", () => {
  it("reaches the model with no token", async () => {
    const answer = await fetch(`${sent(OWN, "model.internal")}/v1/messages`, { method: "POST", body: QUESTION });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    expect(await answer.text()).toContain("You said: hello");
  });

  it("puts the memory back, by the keeper as it is", async () => {
    const keeper = spawn(process.execPath, [KEEPER, "restore"], {
      env: {
        KEEPER_URL: `${sent(OWN, "bridge.internal")}/bridge/state`,
        KEEPER_HOME: join(directory, "keeper"),
        KEEPER_WORKSPACE: join(directory, "workspace"),
        KEEPER_STATE: join(directory, "state"),
        BRIDGE_TOKEN: "of-no-use",
      },
    });
    let said = "";
    for (const output of [keeper.stdout, keeper.stderr]) output.on("data", (chunk: Buffer) => (said += String(chunk)));
    const [exitCode] = await once(keeper, "close");
    expect({ exitCode, said }).toMatchObject({ exitCode: 0 });
    expect(await readdir(join(directory, "keeper"))).not.toEqual([]);
  });

  it("reaches the browser, WebSockets included", async () => {
    const version = await fetch(`${sent(OWN, "browser.internal")}/json/version`);
    const { webSocketDebuggerUrl } = z.object({ webSocketDebuggerUrl: z.string() }).parse(await version.json());
    const address = `${sent(OWN, "browser.internal")}${webSocketDebuggerUrl}`.replace("http", "ws");
    const socket = new WebSocket(address);
    await once(socket, "open");
    const answered = once(socket, "message");
    socket.send(JSON.stringify({ id: 1, method: "Browser.getVersion" }));
    expect(String((await answered)[0])).toContain("Chrome");
    socket.terminate();
  });
});

describe("what another container sends there", () => {
  it.each([
    ["model.internal", "POST", "/v1/messages"],
    ["browser.internal", "GET", "/json/version"],
    ["bridge.internal", "POST", "/bridge/state/begin"],
    ["bridge.internal", "POST", "/bridge/model/v1/messages"],
    ["bridge.internal", "GET", "/bridge/cdp/json/version"],
  ])("is refused: %s %s %s", async (host, method, path) => {
    const answer = await fetch(sent("another", host) + path, {
      method,
      ...(method === "POST" ? { body: QUESTION } : {}),
    });
    expect(answer.status).toBe(401);
  });
});

describe("the bridge's host", () => {
  it("answers nothing but the bridge: neither sign-in nor MCP nor the pages for people are behind it", async () => {
    for (const path of ["/", "/mcp", "/admin/api/me", "/authorize", "/local/warm"]) {
      expect((await fetch(sent(OWN, "bridge.internal") + path)).status).toBe(404);
    }
  });
});

describe("what the container sends to the internet", () => {
  it.each([
    "127.0.0.1",
    "localhost",
    "10.1.2.3",
    "0x0a.1",
    "2130706433",
    "192.168.1.1",
    "169.254.169.254",
    "[::1]",
    "[::ffff:10.0.0.1]",
    "[fd00::1]",
    "metadata.google.internal",
    "printer.local",
    "intranet",
    "another.internal",
  ])("does not reach %s", async (host) => {
    const answer = await fetch(`${sent(OWN, host)}/latest/meta-data`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("is not a public address");
  });

  it.each(["not-on-the-list.example", "below.example", "notbelow.example", "on-the-list.example.net"])(
    "does not reach %s, which is not on the list",
    async (host) => {
      const answer = await fetch(`${sent(OWN, host)}/`);
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain("EGRESS_ALLOW");
    },
  );

  it("comes back as it was answered, and a redirect is left to the container", async () => {
    const there = sent(OWN, "there.below.example");
    const answer = await fetch(`${there}/a/path?with=query`, { method: "PUT", body: "and a body" });
    expect(answer.status).toBe(418);
    expect(answer.headers.get("x-own")).toBe("1");
    expect(await answer.text()).toBe("PUT http://there.below.example/a/path?with=query and a body");
    const moved = await fetch(`${there}/moved`, { redirect: "manual" });
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "http://127.0.0.1/"]);
  });

  // Names that no name server has: to be told that they do not answer is to have been let through.
  it.each(["on-the-list.example", "a.below.example", "ON-THE-LIST.example."])("may go to %s", async (host) => {
    expect((await fetch(`${sent(OWN, host)}/`)).status).toBe(502);
  });
});
