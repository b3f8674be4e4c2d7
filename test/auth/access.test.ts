import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Answer, answerOf, mcp, TestClient } from "./client.ts";
import { expectDiscreet } from "./discreet.ts";
import { type AuthStack, authStack, FRIEND, OWNER, SERVICE_TOKEN, STRANGER } from "./stack.ts";

let stack: AuthStack;
beforeAll(async () => {
  stack = await authStack();
});
afterAll(() => stack.close());
afterEach(() => {
  stack.issuer.person = OWNER;
});

const grantsSchema = z.object({
  grants: z.array(
    z.object({
      id: z.string(),
      client: z.string(),
      clientId: z.string(),
      redirect: z.string(),
      scopes: z.array(z.string()),
      created: z.number(),
      lastUsed: z.number().optional(),
    }),
  ),
});

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  return await answerOf(await fetch(`${stack.url}${path}`, { redirect: "manual", ...init }));
}

const ticketOf = (email: string) => stack.issuer.ticket({ email, sub: email });
const cookie = (ticket: string) => ({ cookie: `CF_Authorization=${ticket}` });

async function grantsOf(email: string) {
  const { status, text } = await ask("/admin/api/grants", { headers: cookie(await ticketOf(email)) });
  expect(status).toBe(200);
  return grantsSchema.parse(JSON.parse(text)).grants;
}

function revoke(ticket: string, body: unknown, headers: Record<string, string> = {}) {
  return ask("/admin/api/grants/revoke", {
    method: "POST",
    headers: { ...cookie(ticket), "content-type": "application/json", origin: stack.url, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

describe("Access lets in", () => {
  it("a person, by the header as by the cookie", async () => {
    const ticket = await ticketOf(OWNER.email);
    for (const headers of [cookie(ticket), { "cf-access-jwt-assertion": ticket }]) {
      const { status, text } = await ask("/admin/api/me", { headers });
      expect(status).toBe(200);
      expect(JSON.parse(text)).toEqual({ kind: "person", email: OWNER.email, terminal: false });
    }
  });

  it("a service token that the settings name", async () => {
    const ticket = await stack.issuer.ticket({ common_name: SERVICE_TOKEN, sub: "" });
    const { text } = await ask("/admin/api/me", { headers: { "cf-access-jwt-assertion": ticket } });
    expect(JSON.parse(text)).toEqual({ kind: "service", name: SERVICE_TOKEN, terminal: false });
  });
});

const now = () => Math.floor(Date.now() / 1000);

describe("Access keeps out", () => {
  it.each<[string, number, Record<string, unknown>, object?]>([
    ["a ticket without a signature", 401, {}, { alg: "none", key: "none" }],
    ["a ticket signed with another key", 401, {}, { key: "foreign" }],
    ["a ticket signed with a shared secret", 401, {}, { alg: "HS256", key: "secret" }],
    ["a ticket for another application", 401, { aud: ["another"] }],
    ["a ticket for the sign-in of MCP clients", 401, { aud: "worker" }],
    ["a ticket without an audience", 401, { aud: undefined }],
    ["a ticket of another team", 401, { iss: "https://other.cloudflareaccess.com" }],
    ["a ticket that has expired", 401, { iat: now() - 7200, nbf: now() - 7200, exp: now() - 3600 }],
    ["a ticket that never expires", 401, { exp: undefined }],
    ["a ticket that is not valid yet", 401, { nbf: now() + 3600 }],
    ["a ticket of the team's own login", 401, { type: "org" }],
    ["a ticket for nobody", 403, { email: undefined }],
    ["a person on no list", 403, { email: STRANGER.email }],
    ["a person whose address is not verified", 403, { email_verified: false }],
    ["a service token that no setting names", 403, { email: undefined, common_name: "unknown.access", sub: "" }],
  ])("%s", async (_what, status, claims, change) => {
    const ticket = await stack.issuer.ticket({ email: OWNER.email, ...claims }, (same) => ({ ...same, ...change }));
    for (const headers of [cookie(ticket), { "cf-access-jwt-assertion": ticket }]) {
      const refused = await ask("/admin/api/grants", { headers });
      expect(refused.status).toBe(status);
      expect(refused.headers.get("cache-control")).toBe("no-store");
      expectDiscreet(refused);
    }
  });

  it.each([
    ["nothing", {}],
    ["no ticket at all", { cookie: "CF_Authorization=" }],
    ["text", { cookie: "CF_Authorization=hello" }],
    ["an e-mail header, which anybody can write", { "cf-access-authenticated-user-email": OWNER.email }],
  ])("%s", async (_what, headers) => {
    for (const path of ["/admin/api/grants", "/admin/api/me", "/admin/", "/admin/nothing-there"]) {
      expect((await ask(path, { headers })).status).toBe(401);
    }
  });

  it("two tickets at once, of which one must be somebody else's", async () => {
    const [mine, theirs] = [await ticketOf(OWNER.email), await ticketOf(FRIEND.email)];
    const headers = { cookie: `CF_Authorization=${theirs}; CF_Authorization=${mine}` };
    expect((await ask("/admin/api/me", { headers })).status).toBe(401);
  });

  it("a good cookie beside a bad header", async () => {
    const headers = { ...cookie(await ticketOf(OWNER.email)), "cf-access-jwt-assertion": "forged" };
    expect((await ask("/admin/api/me", { headers })).status).toBe(401);
  });

  it("a ticket in the address, and a client's token", async () => {
    const ticket = await ticketOf(OWNER.email);
    expect((await ask(`/admin/api/me?CF_Authorization=${ticket}`)).status).toBe(401);
    const { access_token } = await (await TestClient.register(stack.url)).tokens();
    expect((await ask("/admin/api/me", { headers: { authorization: `Bearer ${access_token}` } })).status).toBe(401);
    expect((await mcp(stack.url, { authorization: `Bearer ${ticket}` })).status).toBe(401);
  });
});

describe("a person's grants", () => {
  it("are listed with client, permissions and last use, and are that person's alone", async () => {
    const client = await TestClient.register(stack.url, { metadata: { client_name: "My <b>IDE</b>" } });
    await client.tokens(["chat", "exec"]);
    const mine = await grantsOf(OWNER.email);
    const grant = mine.find(({ clientId }) => clientId === client.id);
    expect(grant).toMatchObject({
      client: "My <b>IDE</b>",
      redirect: "https://client.example/back",
      scopes: ["chat", "exec"],
    });
    expect(grant?.lastUsed).toBeGreaterThanOrEqual(grant?.created ?? Number.NaN);

    stack.issuer.person = FRIEND;
    const theirs = await TestClient.register(stack.url);
    await theirs.tokens();
    expect((await grantsOf(FRIEND.email)).map(({ clientId }) => clientId)).toEqual([theirs.id]);
    expect((await grantsOf(OWNER.email)).map(({ clientId }) => clientId)).not.toContain(theirs.id);
  });

  it("stop working at once when revoked", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = await client.tokens();
    const id = (await grantsOf(OWNER.email)).find(({ clientId }) => clientId === client.id)?.id;
    const revoked = await revoke(await ticketOf(OWNER.email), { id });
    expect([revoked.status, JSON.parse(revoked.text)]).toEqual([200, { revoked: id }]);
    expect((await mcp(stack.url, { authorization: `Bearer ${tokens.access_token}` })).status).toBe(401);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
    expect((await revoke(await ticketOf(OWNER.email), { id })).status).toBe(404);
  });

  it("are not revoked by another person, another site or another kind of request", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = await client.tokens();
    const id = (await grantsOf(OWNER.email)).find(({ clientId }) => clientId === client.id)?.id;
    const mine = await ticketOf(OWNER.email);

    const foreign = await revoke(await ticketOf(FRIEND.email), { id });
    expect(foreign.status).toBe(404);
    expectDiscreet(foreign);
    for (const origin of ["https://evil.example", "null", `${stack.url}.evil.example`]) {
      expect((await revoke(mine, { id }, { origin })).status).toBe(403);
    }
    const noOrigin = await ask("/admin/api/grants/revoke", {
      method: "POST",
      headers: { ...cookie(mine), "content-type": "application/json" },
      body: JSON.stringify({ id }),
    });
    expect(noOrigin.status).toBe(403);
    expect((await revoke(mine, `id=${id}`, { "content-type": "application/x-www-form-urlencoded" })).status).toBe(400);
    expect((await ask("/admin/api/grants/revoke", { headers: cookie(mine) })).status).toBe(405);
    expect((await mcp(stack.url, { authorization: `Bearer ${tokens.access_token}` })).status).toBe(200);
  });

  it.each([["../x"], ["a:b"], [""], ["x".repeat(17)], [1], [null], ["; rm -rf /"]])(
    "take no id like %j",
    async (id) => {
      const refused = await revoke(await ticketOf(OWNER.email), { id });
      expect(refused.status).toBe(400);
      expectDiscreet(refused);
    },
  );

  it("are not a service token's to see", async () => {
    const ticket = await stack.issuer.ticket({ common_name: SERVICE_TOKEN, sub: "" });
    expect((await ask("/admin/api/grants", { headers: { "cf-access-jwt-assertion": ticket } })).status).toBe(403);
  });
});

const journalSchema = z.object({
  entries: z.array(
    z.looseObject({ id: z.number(), kind: z.string(), action: z.string(), outcome: z.string(), ms: z.number() }),
  ),
  before: z.number().optional(),
});

async function journal(query: Record<string, string>) {
  const headers = cookie(await ticketOf(OWNER.email));
  const { status, text } = await ask(`/admin/api/journal?${new URLSearchParams(query)}`, { headers });
  expect(status).toBe(200);
  return journalSchema.parse(JSON.parse(text));
}

/** A tool that needs no container. */
const look = (token: string, name: string, input: Record<string, unknown> = {}) =>
  mcp(stack.url, { authorization: `Bearer ${token}` }, { method: "tools/call", params: { name, arguments: input } });

describe("the journal", () => {
  it("has every login and every call, whose it was and how it ended, and none of its content", async () => {
    const client = await TestClient.register(stack.url);
    const { access_token } = await client.tokens(["chat"]);
    await look(access_token, "chat_conversations");
    await look(access_token, "chat_history", { conversation: "hunter2" });
    await look(access_token, "hunter2");
    const mine = async (kind: string) => (await journal({ client: client.id, kind })).entries;
    await expect.poll(async () => (await mine("call")).length, { timeout: 60_000 }).toBe(3);
    const calls = await mine("call");
    expect(calls.map(({ action, outcome }) => `${action} ${outcome}`).toSorted()).toEqual([
      "chat_conversations ok",
      "chat_history not_found",
      "unknown not_found",
    ]);
    const logins = await mine("login");
    expect(logins).toContainEqual(expect.objectContaining({ outcome: "ok" }));
    const [call] = calls;
    expect(logins.map(({ principal }) => principal)).toContain(call?.["principal"]);
    expect(JSON.stringify([calls, logins])).not.toMatch(/hunter2|@example|eyJ/);
  });

  it("is read in pages, by people and services that Access lets in and nobody else", async () => {
    const first = await journal({ limit: "1" });
    expect(first.entries).toHaveLength(1);
    const second = await journal({ limit: "1", before: String(first.before) });
    expect(second.entries[0]?.id).toBeLessThan(first.entries[0]?.id ?? 0);
    const service = await stack.issuer.ticket({ common_name: SERVICE_TOKEN, sub: "" });
    const headers = { "cf-access-jwt-assertion": service };
    expect((await ask("/admin/api/journal", { headers })).status).toBe(200);
    expect((await ask("/admin/api/journal")).status).toBe(401);
    const wrong = await ask("/admin/api/journal?colour=red", { headers });
    expect(wrong.status).toBe(400);
    expectDiscreet(wrong);
  });
});

describe("where Access is not set up", () => {
  it.each([
    ["ACCESS_TEAM_DOMAIN", { ACCESS_TEAM_DOMAIN: "" }],
    ["ACCESS_AUD", { ACCESS_AUD: "" }],
  ])(
    "nobody gets in, and the log says that %s is missing",
    async (missing, variables) => {
      await stack.deploy(variables);
      const refused = await ask("/admin/api/me", { headers: cookie(await ticketOf(OWNER.email)) });
      expect(refused.status).toBe(403);
      expectDiscreet(refused);
      await expect.poll(() => stack.log(), { timeout: 60_000 }).toMatch(new RegExp(`"missing":\\["${missing}"\\]`));
    },
    180_000,
  );
});
