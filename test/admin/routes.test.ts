import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../src/admin/routes.ts";
import { mcp, TestClient } from "../auth/client.ts";
import { expectDiscreet } from "../auth/discreet.ts";
import { type AuthStack, authStack, FRIEND, OWNER, SERVICE_TOKEN } from "../auth/stack.ts";
import { type TestVisitor, visitor } from "./visitor.ts";

let stack: AuthStack;
let owner: TestVisitor;
let friend: TestVisitor;
let service: TestVisitor;
beforeAll(async () => {
  stack = await authStack();
  owner = await visitor(stack, { email: OWNER.email });
  friend = await visitor(stack, { email: FRIEND.email });
  service = await visitor(stack, { common_name: SERVICE_TOKEN });
});
afterAll(() => stack.close());

/** What the journal has of the admin pages, newest first. */
async function changes(): Promise<Record<string, string>[]> {
  return (await owner.read("journal?kind=admin&limit=200")).entries;
}

/** While the container is on its way out its state may not be known for a moment. */
async function phase(): Promise<string | undefined> {
  return JSON.parse((await owner.get("status")).text).gateway?.phase;
}

async function daysOf(path: string): Promise<number> {
  const { from, to } = await owner.read(path);
  return (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
}

const GETS = ROUTES.filter(({ method }) => method === "GET").map(({ path }) => path);
const POSTS = ROUTES.filter(({ method }) => method === "POST").map(({ path }) => path);
const OF_JSON = ROUTES.filter(({ method, streamed }) => method === "POST" && !streamed).map(({ path }) => path);

describe("every route", () => {
  it("has a path of its own", () => {
    expect(new Set(ROUTES.map(({ path }) => path)).size).toBe(ROUTES.length);
  });

  it.each(GETS)("that looks is asked with GET or HEAD: %s", async (path) => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const refused = await owner.ask(path, { method });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      expectDiscreet(refused);
    }
    const [get, head] = [await owner.get(path), await owner.ask(path, { method: "HEAD" })];
    expect([head.status, head.text]).toEqual([get.status, ""]);
    expect(head.headers.get("cache-control")).toBe("no-store");
  });

  it.each(POSTS)("that changes something is asked with POST: %s", async (path) => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const refused = await owner.ask(path, { method });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  it.each(OF_JSON)("takes no body but the JSON it knows: %s", async (path) => {
    for (const body of ["", "{", "null", "[]", '"x"', "1", '{"unknown":1}', '{"__proto__":{"id":"x"}}']) {
      const refused = await owner.post(path, body);
      expect([body, refused.status]).toEqual([body, 400]);
      expectDiscreet(refused);
    }
    const typed = await owner.post(path, "{}", { "content-type": "text/plain" });
    expect([typed.status, JSON.parse(typed.text).error.code]).toEqual([400, "invalid_input"]);
    expect((await owner.post(path, " ".repeat(4_097))).status).toBe(413);
    expect((await owner.post(path, "x".repeat(3_000_000))).status).toBe(413);
  });

  it.each(GETS)("takes nothing in its address but what it knows, once: %s", async (path) => {
    for (const query of ["colour=red", "__proto__=x", "constructor=", "limit=1&limit=1"]) {
      const refused = await owner.get(`${path}?${query}`);
      expect([query, refused.status]).toEqual([query, 400]);
      expectDiscreet(refused);
    }
  });
});

describe("a visitor", () => {
  it("may have a terminal once a client of theirs may run commands, and no service may", async () => {
    expect(await friend.read("me")).toEqual({ kind: "person", email: FRIEND.email, terminal: false });
    await (await TestClient.register(stack.url)).tokens(["chat", "memory"]);
    expect(await owner.read("me")).toEqual({ kind: "person", email: OWNER.email, terminal: false });
    const client = await TestClient.register(stack.url);
    await client.tokens(["chat", "exec"]);
    expect(await owner.read("me")).toMatchObject({ terminal: true });
    expect(await friend.read("me")).toMatchObject({ terminal: false });
    expect(await service.read("me")).toEqual({ kind: "service", name: SERVICE_TOKEN, terminal: false });

    const { grants } = await owner.read("grants");
    const { id } = grants.find(({ clientId }: { clientId: string }) => clientId === client.id);
    expect((await owner.post("grants/revoke", { id })).status).toBe(200);
    expect(await owner.read("me")).toMatchObject({ terminal: false });
  });

  it("sees the bot asleep, and its looking starts nothing", async () => {
    const before = await stack.counts();
    const status = await owner.read("status");
    expect(status).toMatchObject({
      gateway: { phase: "asleep", starts: 0 },
      uptime: { starts: 0, sleepAfter: expect.any(String) },
      memory: { head: null, generations: 0 },
      chats: { running: 0 },
      model: { names: [expect.any(String)] },
      usage: { total: { calls: 0 }, models: [] },
    });
    for (const path of ["devices", "jobs"]) {
      const refused = await owner.get(path);
      expect([path, refused.status]).toEqual([path, 503]);
      expect(JSON.parse(refused.text)).toMatchObject({
        error: { code: "unavailable", hint: "Start the Moltbot first." },
      });
      expectDiscreet(refused);
    }
    expect((await owner.post("jobs/run", { id: "x" })).status).toBe(503);
    expect((await owner.post("devices/approve", { requestId: "x" })).status).toBe(503);
    expect(await owner.read("log?lines=5")).toEqual({ lines: [], running: false });
    expect(await owner.read("browser")).toEqual({ mine: { open: false, tabs: [] }, bot: { open: false, tabs: [] } });
    for (const path of GETS) await service.get(path);
    expect(await stack.counts()).toEqual(before);
  });

  it.each([
    ["log", ["lines=0", "lines=2001", "lines=x", "lines=1e9", "lines=1.5", "lines="]],
    ["usage", ["days=0", "days=401", "days=-1", "days=NaN", "days="]],
    ["files", [`cursor=${"x".repeat(2_049)}`, `prefix=${"x".repeat(1_025)}`]],
  ])("asks for a sensible part of the %s", async (path, queries) => {
    for (const query of queries) expect([query, (await owner.get(`${path}?${query}`)).status]).toEqual([query, 400]);
  });

  it("sees no files whose names could not be", async () => {
    // The bucket takes no key that long.
    for (const prefix of ["x".repeat(1_024), "é".repeat(1_024), "%00"]) {
      expect(await owner.read(`files?prefix=${prefix}`)).toEqual({ files: [] });
    }
  });

  it("sees the usage of as many days as asked for", async () => {
    expect(await daysOf("usage")).toBe(30);
    expect(await daysOf("usage?days=7")).toBe(7);
    await stack.countCalls(150);
    const { days, total } = await owner.read("usage?days=400");
    expect([days.length, total.calls]).toEqual([150, 150]);
    expect((await owner.read("usage?days=7")).days).toHaveLength(7);
  });
});

describe("what a visitor changes", () => {
  it("is in the journal with its end, and nothing of what was sent", async () => {
    await friend.post("grants/revoke", { id: "hunter2-hunter2-" });
    await friend.post("grants/revoke", "hunter2");
    await friend.post("browser/close", {}, { origin: "https://evil.example" });
    expect((await friend.post("browser/close")).text).toBe("{}");
    await service.post("browser/close", {}, { origin: stack.url });
    const ends = async () =>
      (await changes()).slice(0, 5).map(({ action, outcome }: Record<string, string>) => `${action} ${outcome}`);
    await expect
      .poll(ends, { timeout: 60_000 })
      .toEqual([
        "browser/close ok",
        "browser/close ok",
        "browser/close forbidden",
        "grants/revoke invalid_input",
        "grants/revoke not_found",
      ]);
    const [byService, ...byFriend] = (await changes()).slice(0, 5);
    expect(byService).toMatchObject({ client: SERVICE_TOKEN });
    const ids = new Set(byFriend.map(({ principal }) => principal));
    expect(ids.size).toBe(1);
    expect([...ids][0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids).not.toContain(byService?.["principal"]);
    expect(JSON.stringify(await changes())).not.toMatch(/hunter2|@example/);
  });

  it("is under the id that the person's calls are under", async () => {
    stack.issuer.person = OWNER;
    const client = await TestClient.register(stack.url);
    const { access_token } = await client.tokens(["chat"]);
    await mcp(
      stack.url,
      { authorization: `Bearer ${access_token}` },
      { method: "tools/call", params: { name: "chat_conversations", arguments: {} } },
    );
    await owner.post("browser/close");
    const principal = async (query: string) => (await owner.read(`journal?limit=1&${query}`)).entries[0]?.principal;
    await expect.poll(() => principal(`kind=call&client=${client.id}`), { timeout: 60_000 }).toMatch(/^[0-9a-f]{32}$/);
    const called = await principal(`kind=call&client=${client.id}`);
    await expect.poll(() => principal("kind=admin&action=browser/close"), { timeout: 60_000 }).toBe(called);
  });
});

describe("the bot", () => {
  it("is started, restarted and put to sleep from the page, which does not wait for it", async () => {
    const started = JSON.parse((await owner.post("bot/start")).text);
    expect(started.gateway.phase).not.toBe("asleep");
    await expect.poll(phase, { timeout: 120_000, interval: 500 }).toBe("ready");
    const { gateway } = await owner.read("status");
    expect(await owner.read("log?lines=3")).toMatchObject({ running: true, lines: expect.any(Array) });
    expect((await owner.read("log?lines=3")).lines.length).toBeLessThanOrEqual(3);

    expect(await owner.read("devices")).toEqual({ pending: [], paired: [] });
    expect(await owner.read("jobs")).toEqual({ jobs: [] });
    expect((await owner.post("jobs/run", { id: "x" })).status).toBe(404);
    expect((await owner.post("devices/revoke", { deviceId: "0".repeat(64) })).status).toBe(404);

    const again = JSON.parse((await owner.post("bot/restart")).text);
    expect(again.gateway.phase).not.toBe("ready");
    await expect.poll(phase, { timeout: 120_000, interval: 500 }).toBe("ready");
    expect((await owner.read("status")).gateway.starts).toBe(gateway.starts + 1);

    await owner.post("bot/sleep");
    await expect.poll(phase, { timeout: 60_000, interval: 500 }).toBe("asleep");
  }, 400_000);
});
