import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { mcp, TestClient, tokensIn } from "./client.ts";
import { expectDiscreet } from "./discreet.ts";
import { type AuthStack, authStack, OWNER } from "./stack.ts";

let stack: AuthStack;
beforeAll(async () => {
  stack = await authStack();
});
afterAll(() => stack.close());
afterEach(() => {
  Object.assign(stack.issuer, { person: OWNER, refreshTokens: true, down: false, forge: (same: unknown) => same });
});

const works = async (token: string) => (await mcp(stack.url, { authorization: `Bearer ${token}` })).status;

describe("a code is refused", () => {
  it.each([
    ["without its verifier", { code_verifier: undefined }, "invalid_request"],
    ["with another verifier", { code_verifier: "w".repeat(43) }, "invalid_grant"],
    ["for another redirect address", { redirect_uri: "https://evil.example/back" }, "invalid_grant"],
    ["for another resource", { resource: "https://other.example/mcp" }, "invalid_target"],
    ["when it was made up", { code: "a:b:c" }, "invalid_grant"],
    ["in a grant that is not offered", { grant_type: "password" }, "unsupported_grant_type"],
    [
      "in the exchange of one token for another",
      { grant_type: "urn:ietf:params:oauth:grant-type:token-exchange" },
      "unsupported_grant_type",
    ],
  ])("%s", async (_what, change, error) => {
    const client = await TestClient.register(stack.url);
    const refused = await client.exchange(await client.code(), change);
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text)).toMatchObject({ error });
    expectDiscreet(refused);
  });

  it("when another client got it", async () => {
    const [mine, theirs] = [await TestClient.register(stack.url), await TestClient.register(stack.url)];
    const refused = await theirs.exchange(await mine.code(), { code_verifier: mine.verifier });
    expect(refused.status).toBe(400);
    expectDiscreet(refused);
  });

  it("when its client has a secret and does not show it, or shows another", async () => {
    const client = await TestClient.register(stack.url, {
      metadata: { token_endpoint_auth_method: "client_secret_post" },
    });
    const code = await client.code();
    for (const secret of [undefined, "guessed"]) {
      const refused = await client.exchange(code, { client_secret: secret });
      expect(refused.status).toBe(401);
      expectDiscreet(refused);
    }
    expect((await client.exchange(code)).status).toBe(200);
  });

  it("the second time, and then what the first time gave stops working", async () => {
    const client = await TestClient.register(stack.url);
    const code = await client.code();
    const tokens = tokensIn(await client.exchange(code));
    expect(await works(tokens.access_token)).toBe(200);
    const replayed = await client.exchange(code);
    expect(JSON.parse(replayed.text)).toMatchObject({ error: "invalid_grant" });
    expect(await works(tokens.access_token)).toBe(401);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
  });
});

describe("a second grant to the same client", () => {
  it("takes the first one's place when the client fetches it, and not before", async () => {
    const client = await TestClient.register(stack.url);
    const first = await client.tokens();
    const code = await client.code();
    expect(await works(first.access_token)).toBe(200);
    const second = tokensIn(await client.exchange(code));
    expect(await works(first.access_token)).toBe(401);
    expect((await client.refresh(first.refresh_token)).status).toBe(400);
    expect(await works(second.access_token)).toBe(200);
  });

  it("leaves other clients of the same person alone", async () => {
    const [one, other] = [await TestClient.register(stack.url), await TestClient.register(stack.url)];
    const tokens = await one.tokens();
    await other.tokens();
    expect(await works(tokens.access_token)).toBe(200);
  });
});

describe("a refresh token", () => {
  it("is another one each time, and an older one than the last stops working", async () => {
    const client = await TestClient.register(stack.url);
    const first = await client.tokens();
    const second = tokensIn(await client.refresh(first.refresh_token));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    const third = tokensIn(await client.refresh(second.refresh_token));
    const stale = await client.refresh(first.refresh_token);
    expect(JSON.parse(stale.text)).toMatchObject({ error: "invalid_grant" });
    expectDiscreet(stale);
    expect(await works(third.access_token)).toBe(200);
  });

  it("cannot be used by another client, for another resource or for more permissions", async () => {
    const [mine, theirs] = [await TestClient.register(stack.url), await TestClient.register(stack.url)];
    const { refresh_token } = await mine.tokens(["chat"]);
    expect((await theirs.refresh(refresh_token)).status).toBe(400);
    expect((await mine.refresh(refresh_token, { resource: "https://other.example/mcp" })).status).toBe(400);
    const more = await mine.refresh(refresh_token, { scope: "chat exec control" });
    if (more.status === 200) expect(tokensIn(more).scope).toBe("chat");
    else expect(more.status).toBe(400);
  });

  it("is no access token, and an access token is no refresh token", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = await client.tokens();
    expect(await works(tokens.refresh_token)).toBe(401);
    expect((await client.refresh(tokens.access_token)).status).toBe(400);
  });
});

describe("revocation", () => {
  it("of a refresh token ends the grant, at once and for good", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = await client.tokens();
    expect((await client.post({ token: tokens.refresh_token, token_type_hint: "refresh_token" })).status).toBe(200);
    expect(await works(tokens.access_token)).toBe(401);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
  });

  it("of an access token ends that one", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = await client.tokens();
    expect((await client.post({ token: tokens.access_token })).status).toBe(200);
    expect(await works(tokens.access_token)).toBe(401);
  });

  it("says nothing of whether there was such a token, and does nothing to another client's", async () => {
    const [mine, theirs] = [await TestClient.register(stack.url), await TestClient.register(stack.url)];
    const tokens = await mine.tokens();
    expect((await theirs.post({ token: "a:b:c" })).status).toBe(200);
    await theirs.post({ token: tokens.refresh_token });
    expect(await works(tokens.access_token)).toBe(200);
  });
});

describe("at each refresh the issuer is asked again", () => {
  it("and a person whose session there has ended is out, with every token of that grant", async () => {
    const client = await TestClient.register(stack.url);
    const first = await client.tokens();
    const second = tokensIn(await client.refresh(first.refresh_token));
    stack.issuer.endSessions(OWNER.email);
    const refused = await client.refresh(second.refresh_token);
    expect(JSON.parse(refused.text)).toMatchObject({ error: "invalid_grant" });
    expectDiscreet(refused);
    expect(await works(second.access_token)).toBe(401);
  });

  it("by what the access token still opens, when it gives no refresh tokens", async () => {
    stack.issuer.refreshTokens = false;
    const client = await TestClient.register(stack.url);
    const first = await client.tokens();
    const second = tokensIn(await client.refresh(first.refresh_token));
    stack.issuer.endSessions(OWNER.email);
    expect((await client.refresh(second.refresh_token)).status).toBe(400);
  });

  it.each<[string, Record<string, unknown>]>([
    ["somebody else's", { sub: "another" }],
    ["of an address that is on no list", { email: "stranger@example.net" }],
    ["for another audience", { aud: "somebody-else" }],
  ])("and what it signs then may not be %s", async (_what, claims) => {
    const client = await TestClient.register(stack.url);
    const { refresh_token } = await client.tokens();
    stack.issuer.forge = (signing) => ({ ...signing, claims: { ...signing.claims, ...claims } });
    const refused = await client.refresh(refresh_token);
    expect(JSON.parse(refused.text)).toMatchObject({ error: "invalid_grant" });
  });

  it("and while it cannot be reached the client is told to come back, and keeps its grant", async () => {
    const client = await TestClient.register(stack.url);
    const { refresh_token } = await client.tokens();
    stack.issuer.down = true;
    const later = await client.refresh(refresh_token);
    expect([later.status, later.headers.get("retry-after")]).toEqual([503, "60"]);
    expectDiscreet(later);
    stack.issuer.down = false;
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  it("and its tokens never leave the Worker's storage, where they are encrypted", async () => {
    const client = await TestClient.register(stack.url);
    await client.tokens();
    const grants = await Promise.all((await stack.keys("grant:")).map((key) => stack.read(key)));
    for (const grant of grants) expect(grant).not.toMatch(/refreshToken"|@example/);
    expect(stack.log()).not.toMatch(/@example\.com/);
  });
});

describe("the schedule", () => {
  it("clears away grants whose client is gone, goes on where it stopped, and leaves the living alone", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = await client.tokens();
    const orphans: Record<string, string> = {};
    for (let index = 0; index < 450; index += 1) {
      const [userId, id] = ["0".repeat(32), `orphan${String(index).padStart(10, "0")}`];
      orphans[`grant:${userId}:${id}`] = JSON.stringify({
        id,
        userId,
        clientId: "a-client-that-is-gone",
        scope: ["chat"],
        metadata: {},
        encryptedProps: "",
        createdAt: 1,
        resource: `${stack.url}/mcp`,
      });
    }
    await stack.store(orphans);
    const left = async () => (await stack.keys("grant:")).filter((key) => key.includes("orphan")).length;
    await stack.runSchedule();
    const after = await left();
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThan(450);
    expect(await stack.keys("moltbot:purge")).toHaveLength(1);
    for (let runs = 0; runs < 5 && (await left()) > 0; runs += 1) await stack.runSchedule();
    expect(await left()).toBe(0);
    expect(await works(tokens.access_token)).toBe(200);
    for (let runs = 0; runs < 5 && (await stack.keys("moltbot:purge")).length > 0; runs += 1) await stack.runSchedule();
    expect(await stack.keys("moltbot:purge")).toEqual([]);
  }, 180_000);
});

const entrySchema = z.object({
  kind: z.string(),
  principal: z.string(),
  client: z.string().optional(),
  action: z.string(),
  outcome: z.string(),
  detail: z.record(z.string(), z.unknown()).optional(),
});

/** What the journal has of a client, the oldest first. */
async function journalOf(client: string) {
  const text = await (await fetch(`${stack.url}/test/journal?client=${client}`)).text();
  return z
    .object({ entries: z.array(entrySchema) })
    .parse(JSON.parse(text))
    .entries.toReversed();
}

it("keeps each step of a login, from the page to the refusal of a refresh", async () => {
  const client = await TestClient.register(stack.url);
  const handle = await client.handle();
  await client.decide({ handle, decision: "deny" });
  const first = tokensIn(await client.exchange(await client.code(["chat", "exec"])));
  const second = tokensIn(await client.refresh(first.refresh_token));
  stack.issuer.endSessions(OWNER.email);
  await client.refresh(second.refresh_token);

  const steps = async () => (await journalOf(client.id)).map(({ action, outcome }) => `${action} ${outcome}`);
  await expect
    .poll(steps, { timeout: 30_000 })
    .toEqual([
      "begin ok",
      "consent denied",
      "begin ok",
      "consent ok",
      "sign_in ok",
      "token ok",
      "refresh ok",
      "refresh forbidden",
    ]);
  const entries = await journalOf(client.id);
  const [principal = ""] = first.access_token.split(":");
  expect(entries.map((entry) => entry.principal)).toEqual([
    ...Array.from({ length: 4 }, () => "unknown"),
    ...Array.from({ length: 4 }, () => principal),
  ]);
  expect(entries[3]?.detail).toEqual({ scope: "chat exec" });
  const text = JSON.stringify(entries);
  for (const secret of [OWNER.email, first.refresh_token, second.access_token, handle])
    expect(text).not.toContain(secret);
});

it("lets nobody in who has been taken off the list: neither the token nor its refresh works", async () => {
  const client = await TestClient.register(stack.url);
  const tokens = await client.tokens();
  await stack.deploy({ ALLOWED_EMAILS: "somebody-else@example.com" });
  const refused = await mcp(stack.url, { authorization: `Bearer ${tokens.access_token}` });
  expect(refused.status).toBe(401);
  expect(refused.text).toContain("may no longer use this Moltbot");
  expect(refused.headers.get("www-authenticate")).toContain("resource_metadata=");
  expectDiscreet(refused);
  expect(JSON.parse((await client.refresh(tokens.refresh_token)).text)).toMatchObject({ error: "invalid_grant" });
  await stack.deploy({});
  expect(await works(tokens.access_token)).toBe(401);
  expect(await works((await client.tokens()).access_token)).toBe(200);
}, 180_000);
