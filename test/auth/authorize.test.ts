import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { headlessBrowser } from "../../local/client/browser.ts";
import { codeIn, register, TestClient, tokensIn } from "./client.ts";
import { expectDiscreet } from "./discreet.ts";
import { type AuthStack, authStack, FRIEND, OWNER, STRANGER } from "./stack.ts";

let stack: AuthStack;
beforeAll(async () => {
  stack = await authStack();
});
afterAll(() => stack.close());
afterEach(() => {
  Object.assign(stack.issuer, { person: OWNER, refreshTokens: true, down: false, forge: (same: unknown) => same });
});

const hour = 3600;
const now = () => Math.floor(Date.now() / 1000);

describe("the way in", () => {
  it("ends with a token that names its resource, lives an hour at most and holds no address", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = await client.tokens(["chat", "exec"]);
    expect(tokens).toMatchObject({ scope: "chat exec", resource: `${stack.url}/mcp` });
    expect(tokens.expires_in).toBeLessThanOrEqual(3600);
    expect(tokens.access_token).toMatch(/^[0-9a-f]{32}:/);
    expect(tokens.access_token).not.toContain("owner");
    const stored = (await stack.keys()).join(" ");
    expect(stored).not.toContain("@");
    expect(stored).not.toContain(tokens.access_token.split(":")[2]);
  });

  it("asks the issuer with PKCE, a nonce and a state of its own", async () => {
    const client = await TestClient.register(stack.url);
    await client.code();
    const { asked } = stack.issuer;
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(asked.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    expect(asked.get("nonce")).toMatch(/^[\w-]{43}$/);
    expect(asked.get("state")).not.toBe("s1");
    expect(asked.get("redirect_uri")).toBe(`${stack.url}/callback`);
    expect(asked.get("scope")).toContain("offline_access");
  });

  it("names the authorization server and gives the state back", async () => {
    const client = await TestClient.register(stack.url);
    const back = await client.visit(await client.atIssuer(await client.consent()));
    const answer = new URL(back.location ?? "").searchParams;
    expect([answer.get("iss"), answer.get("state")]).toEqual([stack.url, "s1"]);
  });
});

const at = (name: string) => TestClient.published(stack.url, `https://published.example/${name}.json`);

describe("a client that publishes its description", () => {
  it("needs no registration, and the page names the domain it is from", async () => {
    const server = await (await fetch(`${stack.url}/.well-known/oauth-authorization-server`)).json();
    expect(server).toMatchObject({ client_id_metadata_document_supported: true });
    const client = at("client");
    const page = await client.open();
    expect(page.text).toContain("<strong>published.example</strong> published this app.");
    expect(page.text).toContain("Published client");
    expect((await client.tokens(["chat"])).scope).toBe("chat");
  });

  it.each(["another", "nameless", "secret", "script", "long", "moved", "text", "absent"])(
    "is turned away when that is wrong: %s",
    async (name) => {
      const refused = await at(name).open();
      expect([refused.status, refused.location]).toEqual([400, undefined]);
      expectDiscreet(refused);
    },
  );
});

describe("an authorization request is refused", () => {
  it.each([
    ["without PKCE", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["with plain PKCE", { code_challenge_method: "plain" }, "invalid_request"],
    ["with an unknown PKCE method", { code_challenge_method: "S512" }, "invalid_request"],
    ["for a token instead of a code", { response_type: "token" }, "unsupported_response_type"],
    ["for another resource", { resource: "https://other.example/mcp" }, "invalid_target"],
    ["for a resource beside the real one", { resource: "%/mcp/" }, "invalid_target"],
    ["for another port of the resource", { resource: "http://localhost:1/mcp" }, "invalid_target"],
  ])("%s, and the client hears why", async (_what, change, error) => {
    const client = await TestClient.register(stack.url);
    const real = Object.fromEntries(
      Object.entries(change).map(([key, value]) => [key, value?.replace("%", stack.url)]),
    );
    const refused = await client.open(real);
    const { origin, pathname, searchParams } = new URL(refused.location ?? "about:blank");
    expect(`${origin}${pathname}`).toBe("https://client.example/back");
    expect([searchParams.get("error"), searchParams.get("state")]).toEqual([error, "s1"]);
    expectDiscreet(refused);
  });

  it("without PKCE also when the client has a secret", async () => {
    const client = await TestClient.register(stack.url, {
      metadata: { token_endpoint_auth_method: "client_secret_post" },
    });
    const refused = await client.open({ code_challenge: undefined, code_challenge_method: undefined });
    expect(refused.location).toContain("error=invalid_request");
  });

  it.each([
    ["an unknown client", { client_id: "nobody" }],
    ["no client", { client_id: undefined }],
    ["an address that is not registered", { redirect_uri: "https://evil.example/back" }],
    ["a longer address than the registered one", { redirect_uri: "https://client.example/back/more" }],
    ["an address with another query", { redirect_uri: "https://client.example/back?next=https://evil.example" }],
    ["a host that only begins like the registered one", { redirect_uri: "https://client.example.evil.example/back" }],
    ["an address with a user in it", { redirect_uri: "https://client.example@evil.example/back" }],
    ["an address with a fragment", { redirect_uri: "https://client.example/back#x" }],
    ["an address over http", { redirect_uri: "http://client.example/back" }],
    ["a script as the address", { redirect_uri: "javascript:alert(1)" }],
    ["a client that is an address inside", { client_id: "https://169.254.169.254/client.json" }],
    ["a client that is an address on this machine", { client_id: "http://127.0.0.1:1/client.json" }],
  ])("with %s, and the browser is sent nowhere", async (_what, change) => {
    const client = await TestClient.register(stack.url);
    const refused = await client.open(change);
    expect(refused.status).toBe(400);
    expect(refused.location).toBeUndefined();
    expect(refused.headers.get("content-security-policy")).toContain("default-src 'none'");
    expectDiscreet(refused);
  });
});

describe("a registration is refused", () => {
  it.each([
    ["a script as its address", ["javascript:alert(1)"]],
    ["data as its address", ["data:text/html,hi"]],
    ["an address with a fragment", ["https://client.example/#x"]],
    ["a remote address over http", ["http://client.example/back"]],
    ["no address", []],
  ])("with %s", async (_what, redirects) => {
    const refused = await register(stack.url, { redirect_uris: redirects });
    expect(refused.status).toBe(400);
    expectDiscreet(refused);
  });
});

describe("the consent form", () => {
  it("cannot be sent from a browser that did not open the page", async () => {
    const client = await TestClient.register(stack.url);
    const handle = await client.handle();
    const forged = await client.decide({ handle, decision: "approve", scope: "chat" }, { browser: headlessBrowser() });
    expect(forged.status).toBe(400);
    expect(forged.location).toBeUndefined();
    expectDiscreet(forged);
  });

  it("cannot be sent from another site", async () => {
    const client = await TestClient.register(stack.url);
    const handle = await client.handle();
    for (const origin of ["https://evil.example", "null", `${stack.url}.evil.example`]) {
      const forged = await client.decide({ handle, decision: "approve", scope: "chat" }, { origin });
      expect(forged.status).toBe(403);
      expectDiscreet(forged);
    }
  });

  it("works once", async () => {
    const client = await TestClient.register(stack.url);
    const handle = await client.handle();
    const form = { handle, decision: "approve", scope: "chat" };
    expect((await client.decide(form)).location).toContain(stack.issuer.url);
    const replayed = await client.decide(form);
    expect(replayed.status).toBe(400);
    expectDiscreet(replayed);
  });

  it("cannot be approved after it was denied", async () => {
    const client = await TestClient.register(stack.url);
    const handle = await client.handle();
    const denied = await client.decide({ handle, decision: "deny", scope: "chat" });
    expect(denied.location).toContain("https://client.example/back?error=access_denied");
    expect((await client.decide({ handle, decision: "approve", scope: "chat" })).status).toBe(400);
  });

  it("takes no handle that was made up, none, and no other body", async () => {
    const client = await TestClient.register(stack.url);
    expect((await client.decide({ handle: "A".repeat(43), decision: "approve", scope: "chat" })).status).toBe(400);
    expect((await client.decide({ decision: "approve", scope: "chat" })).status).toBe(400);
    const headers = { "content-type": "application/json" };
    const json = await fetch(`${stack.url}/authorize`, { method: "POST", headers, body: "{}" });
    expect(json.status).toBe(400);
  });

  it("gives nothing when nothing is ticked, and the page can still be used", async () => {
    const client = await TestClient.register(stack.url);
    const handle = await client.handle();
    const nothing = await client.decide({ handle, decision: "approve" });
    expect([nothing.status, nothing.location]).toEqual([400, undefined]);
    expect(nothing.text).toContain("No permission is ticked");
    expect((await client.decide({ handle, decision: "approve", scope: "chat" })).status).toBe(302);
  });

  it("grants no permission that does not exist", async () => {
    const client = await TestClient.register(stack.url);
    expect((await client.tokens(["chat", "admin", "offline_access"])).scope).toBe("chat");
  });

  it("can grant more than was asked for, so that a client that can only refresh is not stuck", async () => {
    const client = await TestClient.register(stack.url);
    expect((await client.tokens(["chat", "exec", "control"])).scope).toBe("chat exec control");
  });
});

describe("the way back from the issuer is refused", () => {
  it("in another browser than the one it began in", async () => {
    const client = await TestClient.register(stack.url);
    const callback = await client.atIssuer(await client.consent());
    const stolen = await TestClient.register(stack.url);
    const refused = await stolen.visit(callback);
    expect([refused.status, refused.location]).toEqual([400, undefined]);
    expectDiscreet(refused);
    expect((await client.visit(callback)).status).toBe(302);
  });

  it("a second time", async () => {
    const client = await TestClient.register(stack.url);
    const callback = await client.atIssuer(await client.consent());
    codeIn(await client.visit(callback));
    const again = await client.visit(callback);
    expect(again.status).toBe(400);
    expectDiscreet(again);
  });

  it.each([
    ["without a state", (url: URL) => url.searchParams.delete("state")],
    ["with a state that was made up", (url: URL) => url.searchParams.set("state", "A".repeat(43))],
    ["with a code that was made up", (url: URL) => url.searchParams.set("code", "made-up")],
  ])("%s", async (_what, change) => {
    const client = await TestClient.register(stack.url);
    const url = new URL(await client.atIssuer(await client.consent()));
    change(url);
    const refused = await client.visit(url.href);
    expect([400, 401]).toContain(refused.status);
    expect(refused.location).toBeUndefined();
    expectDiscreet(refused);
  });

  it("when the code is one of another sign-in", async () => {
    const [mine, theirs] = [await TestClient.register(stack.url), await TestClient.register(stack.url)];
    const callback = new URL(await mine.atIssuer(await mine.consent()));
    const other = new URL(await theirs.atIssuer(await theirs.consent()));
    callback.searchParams.set("code", other.searchParams.get("code") ?? "");
    expect((await mine.visit(callback.href)).status).toBe(401);
  });

  it("when it comes from another issuer, or without a code, and the client hears that access was denied", async () => {
    for (const change of [
      ["iss", "https://other.example"],
      ["code", undefined],
    ] as const) {
      const client = await TestClient.register(stack.url);
      const url = new URL(await client.atIssuer(await client.consent()));
      if (change[1] === undefined) url.searchParams.delete(change[0]);
      else url.searchParams.set(change[0], change[1]);
      expect((await client.visit(url.href)).location).toContain("https://client.example/back?error=access_denied");
    }
  });
});

describe("an identity token of the issuer is refused", () => {
  it.each<[string, (signing: { alg: string; key: string; claims: Record<string, unknown> }) => object]>([
    ["with no signature", () => ({ alg: "none", key: "none" })],
    ["signed with another key", () => ({ key: "foreign" })],
    ["signed with the client's secret", () => ({ alg: "HS256", key: "secret" })],
    ["for another audience", ({ claims }) => ({ claims: { ...claims, aud: "somebody-else" } })],
    ["of another issuer", ({ claims }) => ({ claims: { ...claims, iss: "https://other.example" } })],
    ["that has expired", ({ claims }) => ({ claims: { ...claims, iat: now() - 2 * hour, exp: now() - hour } })],
    ["that never expires", ({ claims }) => ({ claims: { ...claims, exp: undefined } })],
    ["that is not valid yet", ({ claims }) => ({ claims: { ...claims, nbf: now() + hour } })],
    ["with the nonce of another sign-in", ({ claims }) => ({ claims: { ...claims, nonce: "another" } })],
    ["without a nonce", ({ claims }) => ({ claims: { ...claims, nonce: undefined } })],
    ["without an address", ({ claims }) => ({ claims: { ...claims, email: undefined } })],
    ["without a subject", ({ claims }) => ({ claims: { ...claims, sub: undefined } })],
  ])("%s", async (_what, change) => {
    const client = await TestClient.register(stack.url);
    stack.issuer.forge = (signing) => ({ ...signing, ...change(signing) });
    const refused = await client.visit(await client.atIssuer(await client.consent()));
    expect([refused.status, refused.location]).toEqual([401, undefined]);
    expect(refused.text).toContain("The sign-in could not be completed.");
    expectDiscreet(refused);
  });

  it("whose address is not verified, or on no list", async () => {
    const client = await TestClient.register(stack.url);
    stack.issuer.forge = (signing) => ({ ...signing, claims: { ...signing.claims, email_verified: false } });
    expect((await client.visit(await client.atIssuer(await client.consent()))).status).toBe(403);
    stack.issuer.forge = (signing) => signing;
    stack.issuer.person = STRANGER;
    const refused = await client.visit(await client.atIssuer(await client.consent()));
    expect([refused.status, refused.location]).toEqual([403, undefined]);
    expectDiscreet(refused);
  });

  it("and the keys are fetched once, not for every sign-in", async () => {
    const before = stack.issuer.keyFetches;
    for (let times = 0; times < 5; times += 1) await (await TestClient.register(stack.url)).code();
    expect(stack.issuer.keyFetches).toBe(before);
  });
});

it("says so when the issuer cannot be reached, and nothing of why", async () => {
  const client = await TestClient.register(stack.url);
  const callback = await client.atIssuer(await client.consent());
  stack.issuer.down = true;
  const failed = await client.visit(callback);
  expect(failed.status).toBe(502);
  expect(failed.text).toContain("cannot be reached");
  expectDiscreet(failed);
});

describe("consent is remembered", () => {
  it("for the same client, address, permissions and person, and for nothing else", async () => {
    const client = await TestClient.register(stack.url);
    await client.exchange(await client.code(["chat", "exec"], { remember: "on" }));

    const skipped = await client.open();
    expect(skipped.location).toContain(stack.issuer.url);
    const tokens = tokensIn(await client.exchange(codeIn(await client.visit(await client.atIssuer(skipped)))));
    expect(tokens.scope).toBe("chat exec");

    // More permissions than were granted, and a client that asks for the page.
    expect((await client.open({ scope: "chat exec control" })).status).toBe(200);
    expect((await client.open({ prompt: "consent" })).status).toBe(200);
    // Another client in the same browser, and the same client in another browser.
    const other = await TestClient.register(stack.url, { browser: client.browser });
    expect((await other.open()).status).toBe(200);
    expect((await headlessBrowser().visit(client.authorizeUrl())).status).toBe(200);
  });

  it("not when the person did not say so, or says so no longer", async () => {
    const client = await TestClient.register(stack.url);
    await client.exchange(await client.code());
    expect((await client.open()).status).toBe(200);
    await client.exchange(await client.code(["chat"], { remember: "on" }));
    const handle = await client.handle({ prompt: "consent" });
    const sent = await client.decide({ handle, decision: "approve", scope: "chat" });
    await client.exchange(codeIn(await client.visit(await client.atIssuer(sent))));
    expect((await client.open()).status).toBe(200);
  });

  it("not when another person signs in: that one is asked, and the browser forgets", async () => {
    const client = await TestClient.register(stack.url);
    await client.exchange(await client.code(["chat"], { remember: "on" }));
    stack.issuer.person = FRIEND;
    const page = await client.visit(await client.atIssuer(await client.open()));
    expect([page.status, page.location]).toEqual([200, undefined]);
    expect(page.text).toContain('name="decision"');
    stack.issuer.person = OWNER;
    expect((await client.open()).status).toBe(200);
  });

  it("not what another person agreed to in the same browser", async () => {
    const client = await TestClient.register(stack.url);
    await client.exchange(await client.code(["chat"], { remember: "on" }));
    stack.issuer.person = FRIEND;
    const other = await TestClient.register(stack.url, { browser: client.browser });
    await other.exchange(await other.code(["chat"], { remember: "on" }));
    stack.issuer.person = OWNER;
    expect((await other.open()).status).toBe(200);
    expect((await client.open()).status).toBe(200);
  });

  it("not after the grant was revoked", async () => {
    const client = await TestClient.register(stack.url);
    const tokens = tokensIn(await client.exchange(await client.code(["chat"], { remember: "on" })));
    expect((await client.open()).location).toContain(stack.issuer.url);
    await client.post({ token: tokens.refresh_token });
    expect((await client.open()).status).toBe(200);
  });
});
