import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../src/admin/routes.ts";
import { mcp, TestClient } from "./client.ts";
import { expectDiscreet } from "./discreet.ts";
import { type AuthStack, authStack, OWNER } from "./stack.ts";

let stack: AuthStack;
beforeAll(async () => {
  // Not the SDK's own default, so that telling the container of it would count as a renewal.
  stack = await authStack({ SLEEP_AFTER: "7m" });
});
afterAll(() => stack.close());
afterEach(() => {
  stack.issuer.person = OWNER;
});

async function tokenFor(scopes: string[]): Promise<string> {
  return (await (await TestClient.register(stack.url)).tokens(scopes)).access_token;
}

describe("the MCP endpoint refuses", () => {
  it.each<[string, (token: string) => Record<string, string>]>([
    ["nothing", () => ({})],
    ["another scheme", (token) => ({ authorization: `Basic ${token}` })],
    ["a token of another form", () => ({ authorization: "Bearer hello" })],
    ["a token that was made up", () => ({ authorization: `Bearer ${"0".repeat(32)}:grant:secret` })],
    [
      "a token with a letter changed",
      (token) => ({ authorization: `Bearer ${token.slice(0, -1)}${token.endsWith("a") ? "b" : "a"}` }),
    ],
    ["a token in a cookie", (token) => ({ cookie: `access_token=${token}` })],
    ["a token as an API key", (token) => ({ "x-api-key": token })],
    ["a JWT without a signature", () => ({ authorization: "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJvd25lciJ9." })],
  ])("%s", async (_what, headers) => {
    const refused = await mcp(stack.url, headers(await tokenFor(["chat"])));
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toMatch(/^Bearer .*resource_metadata="/);
    expectDiscreet(refused);
  });

  it.each(["access_token", "token", "bearer", "authorization"])("a token in the address as %s", async (name) => {
    const refused = await mcp(stack.url, {}, undefined, `/mcp?${name}=${await tokenFor(["chat"])}`);
    expect(refused.status).toBe(401);
  });

  it.each(["https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1.evil.example"])(
    "a browser's request from %s",
    async (origin) => {
      const authorization = `Bearer ${await tokenFor(["chat"])}`;
      const refused = await mcp(stack.url, { authorization, origin });
      expect(refused.status).toBe(403);
      expectDiscreet(refused);
      expect((await mcp(stack.url, { authorization, origin: stack.url })).status).toBe(200);
    },
  );

  it.each(["//mcp", "/mcp/../mcp", "/%6dcp", "/MCP", "/mcp;x", "/mcp%2f", "/mcp%00"])(
    "a stranger who writes its path as %s",
    async (path) => {
      const refused = await mcp(stack.url, {}, undefined, path);
      expect([401, 404, 400]).toContain(refused.status);
      expectDiscreet(refused);
    },
  );
});

const call = (name: string) => ({ method: "tools/call", params: { name, arguments: { command: "true" } } });

describe("a permission that is lacking", () => {
  it("is answered with 403 and every permission to ask for next", async () => {
    const authorization = `Bearer ${await tokenFor(["chat", "control"])}`;
    const refused = await mcp(stack.url, { authorization }, call("command_run"));
    expect(refused.status).toBe(403);
    const challenge = refused.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain('error="insufficient_scope"');
    // The whole set: those the token has, and the one it lacks.
    expect(/scope="([^"]*)"/.exec(challenge)?.[1]?.split(" ").toSorted()).toEqual(["chat", "control", "exec"]);
    expect(challenge).toContain(`resource_metadata="${stack.url}/.well-known/oauth-protected-resource/mcp"`);
    expectDiscreet(refused);
  });

  it("can be asked for, and then the call goes through", async () => {
    const client = await TestClient.register(stack.url);
    await client.tokens(["chat"]);
    const { access_token } = await client.tokens(["chat", "control"]);
    const answered = await mcp(stack.url, { authorization: `Bearer ${access_token}` }, call("bot_status"));
    expect(answered.status).toBe(200);
  });

  it("hides the tools that need it, and is none where there is no such tool", async () => {
    const authorization = `Bearer ${await tokenFor(["chat"])}`;
    expect((await mcp(stack.url, { authorization })).text).not.toContain("command_run");
    const unknown = await mcp(stack.url, { authorization }, call("no_such_tool"));
    expect(unknown.status).toBe(200);
    expect(unknown.text).toContain("There is no tool of that name");
  });
});

const guess = () => crypto.randomUUID().replaceAll("-", "");
const post = (body: string, headers: Record<string, string> = {}) => ({ method: "POST", body, headers });

describe("strangers", () => {
  /** Every door there is, each tried without a right to pass it. */
  const doors: [path: string, init: () => RequestInit][] = [
    ["/", () => ({})],
    ["/nothing-there", () => ({})],
    ["/mcp", () => ({})],
    ["/mcp", () => post("{}", { "content-type": "application/json" })],
    ["/mcp", () => post("{}", { authorization: `Bearer ${guess()}:${guess()}:${guess()}` })],
    ["/mcp", () => ({ method: "DELETE" })],
    ["/mcp/readonly", () => post("{}", { "content-type": "application/json" })],
    ["/mcp?toolsets=chat", () => ({})],
    ["/icons/command.svg", () => ({})],
    ["/authorize", () => ({})],
    ["/authorize", () => post("handle=x&decision=approve", { "content-type": "application/x-www-form-urlencoded" })],
    ["/callback?code=x&state=y", () => ({})],
    [
      "/oauth/token",
      () =>
        post("grant_type=authorization_code&code=a:b:c&client_id=x", {
          "content-type": "application/x-www-form-urlencoded",
        }),
    ],
    ["/oauth/register", () => post("{}", { "content-type": "application/json" })],
    ["/.well-known/oauth-authorization-server", () => ({})],
    ["/.well-known/oauth-protected-resource/mcp", () => ({})],
    ["/admin/api/grants", () => ({})],
    ["/admin/api/journal", () => ({})],
    ["/local/access/authorized?code=x&state=y", () => ({})],
    ["/admin/api/grants", () => ({ headers: { cookie: `CF_Authorization=${guess()}` } })],
    ["/bridge/model/v1/messages", () => post("{}")],
    ["/bridge/model/v1/messages", () => post("{}", { "x-api-key": guess() })],
    ["/bridge/model/v1/messages", () => post("{}", { "x-api-key": `${guess()}${guess()}`.slice(0, 48) })],
    ["/bridge/model/v1/messages", () => post("{}", { authorization: `Bearer ${guess()}` })],
    ["/bridge/state/head", () => post("{}", { authorization: `Bearer ${guess()}` })],
    [`/bridge/telegram/bot0:${guess()}/getMe`, () => post("{}")],
    ["/bridge/slack/auth.test", () => post("{}", { authorization: `Bearer ${guess()}` })],
    ["/local/warm", () => ({ headers: { "x-container-host-token": guess() } })],
    ["/admin", () => ({})],
    ["/admin/", () => ({})],
    ["/admin/assets/index.js", () => ({ headers: { cookie: `CF_Authorization=${guess()}` } })],
    ["/admin/api/", () => ({})],
    ["/admin/api/nothing-there", () => post("{}")],
    ...ROUTES.map(({ method, path }): [string, () => RequestInit] => [
      `/admin/api/${path}`,
      () => ({
        method,
        headers: { cookie: `CF_Authorization=${guess()}`, origin: stack.url, "content-type": "application/json" },
        ...(method === "POST" ? { body: "{}" } : {}),
      }),
    ]),
  ];

  /** A thousand tries and more, as many of each door; the statuses that were the answer. */
  async function knock(): Promise<Set<number>> {
    const statuses = new Map<number, number>();
    for (let round = 0; round < 1_000 / doors.length; round += 1) {
      const answers = await Promise.all(
        doors.map(([path, init]) => fetch(`${stack.url}${path}`, { redirect: "manual", ...init() })),
      );
      for (const answer of answers) {
        await answer.body?.cancel();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
    }
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(1_000);
    return new Set(statuses.keys());
  }

  it("start nothing and keep nothing awake, a thousand times over", async () => {
    const before = await stack.counts();
    expect(before).toMatchObject({ starts: 0, running: false });
    expect([...(await knock())].filter((status) => status >= 500)).toEqual([]);
    const after = await stack.counts();
    expect(after).toEqual({ starts: 0, renewals: before.renewals, running: false });
  }, 300_000);

  it("are told apart by the count from somebody who may", async () => {
    const before = await stack.counts();
    const authorization = `Bearer ${await tokenFor(["exec"])}`;
    const hello = { method: "tools/call", params: { name: "command_run", arguments: { command: "echo hello" } } };
    expect((await mcp(stack.url, { authorization }, hello)).text).toContain("hello");
    const after = await stack.counts();
    expect(after.starts).toBe(before.starts + 1);
    expect(after.renewals).toBeGreaterThan(before.renewals);
  }, 180_000);

  it("put off the sleep of a running container as little", async () => {
    // The end of what ran in it is use as well, and may come after its answer.
    let before = await stack.counts();
    const isQuiet = async () => {
      const earlier = before;
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      before = await stack.counts();
      return before.renewals === earlier.renewals;
    };
    await expect.poll(isQuiet, { timeout: 90_000 }).toBe(true);
    expect(before).toMatchObject({ starts: 1, running: true });
    expect([...(await knock())].filter((status) => status >= 500)).toEqual([]);
    expect(await stack.counts()).toEqual(before);
  }, 300_000);
});
