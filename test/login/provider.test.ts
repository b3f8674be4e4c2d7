import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { headlessBrowser } from "../../local/client/browser.ts";
import { type LoginProvider, startLoginProvider } from "../../local/login/provider.ts";

const REDIRECT = "http://127.0.0.1:8787/callback";
const PAGES_REDIRECT = "http://127.0.0.1:8787/authorized";
const VERIFIER = "v".repeat(64);
const PATH = "/cdn-cgi/access/sso/oidc/local";

let stateDir: string;
const running: LoginProvider[] = [];
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "login-"));
});
afterAll(() => rm(stateDir, { recursive: true }));
afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.close()));
});

async function start(extra: { path?: string; now?: () => number; stateDir?: string; people?: string[] } = {}) {
  const provider = await startLoginProvider({
    stateDir,
    clients: {
      worker: { id: "moltbot", secret: "a secret: of the worker", redirectUris: [REDIRECT] },
      access: { id: "pages", secret: "a secret of Access", redirectUris: [PAGES_REDIRECT] },
    },
    people: ["owner@localhost.test"],
    log: () => {},
    ...extra,
  });
  running.push(provider);
  return { ...provider, password: (await readFile(provider.people[0].passwordFile, "utf8")).trim() };
}

function authorizeUrl(issuer: string, change: Record<string, string> = {}): string {
  const url = new URL(`${issuer}/auth`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: "moltbot",
    redirect_uri: REDIRECT,
    scope: "openid email profile",
    state: "s1",
    nonce: "n1",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
    ...change,
  }).toString();
  return url.toString();
}

/** The address a redirect leads to. */
function leadsTo(response: Response, base: string): string {
  const location = response.headers.get("location");
  if (location === null) throw new Error(`No redirect, but status ${response.status}`);
  return new URL(location, base).toString();
}

/** The sign-in form's address, in a browser that has just been sent there. */
async function atForm(issuer: string, client = headlessBrowser(), change: Record<string, string> = {}) {
  const form = leadsTo(await client.visit(authorizeUrl(issuer, change)), issuer);
  return {
    client,
    form,
    submit: (password: string, headers: Record<string, string> = {}) =>
      client.visit(form, {
        method: "POST",
        headers,
        body: new URLSearchParams({ email: "owner@localhost.test", password }),
      }),
  };
}

async function signIn(issuer: string, password: string): Promise<URL> {
  const { client, submit } = await atForm(issuer);
  const resume = leadsTo(await submit(password), issuer);
  return new URL(leadsTo(await client.visit(resume), issuer));
}

function exchange(
  issuer: string,
  code: string,
  change: Record<string, string> = {},
  secret = "a secret: of the worker",
) {
  return fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`moltbot:${encodeURIComponent(secret)}`)}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
      ...change,
    }),
  });
}

const tokenSchema = z.object({ id_token: z.string() });

async function identity(issuer: string, password: string) {
  const returned = await signIn(issuer, password);
  const answer = await exchange(issuer, returned.searchParams.get("code") ?? "");
  const { id_token } = tokenSchema.parse(await answer.json());
  const metadata = z
    .object({ jwks_uri: z.string() })
    .parse(await (await fetch(`${issuer}/.well-known/openid-configuration`)).json());
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(id_token, keys, { issuer, audience: "moltbot" });
  return { returned, payload, protectedHeader };
}

test("signs the owner in and puts the address into the identity token", async () => {
  const { issuer, password } = await start();
  const { returned, payload, protectedHeader } = await identity(issuer, password);
  expect(returned.searchParams.get("state")).toBe("s1");
  expect(protectedHeader.alg).toBe("RS256");
  expect(payload).toMatchObject({ nonce: "n1", email: "owner@localhost.test", email_verified: true, name: "Owner" });
});

test("keeps keys, account and password over a restart", async () => {
  const first = await start();
  const before = await identity(first.issuer, first.password);
  const second = await start();
  expect(second.password).toBe(first.password);
  const after = await identity(second.issuer, second.password);
  expect(after.payload.sub).toBe(before.payload.sub);
  expect(after.protectedHeader.kid).toBe(before.protectedHeader.kid);
});

test("works under a path", async () => {
  const { issuer, password } = await start({ path: PATH });
  expect(new URL(issuer).pathname).toBe(PATH);
  expect((await identity(issuer, password)).payload.email).toBe("owner@localhost.test");
  expect((await fetch(`${new URL(issuer).origin}/.well-known/openid-configuration`)).status).toBe(404);
});

test("makes files that only their owner can read, and tightens one that others could", async () => {
  const own = await mkdtemp(join(tmpdir(), "login-"));
  await writeFile(join(own, "owner-password"), "correct horse battery\n", { mode: 0o644 });
  const { password } = await start({ stateDir: own });
  expect(password).toBe("correct horse battery");
  for (const file of ["owner-password", "signing-keys.json", "accounts.json"]) {
    expect((await stat(join(own, file))).mode & 0o777).toBe(0o600);
  }
  await rm(own, { recursive: true });
});

test("shows a labelled form that runs and loads nothing", async () => {
  const { issuer } = await start();
  const { client, form } = await atForm(issuer);
  const page = await client.visit(form);
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'nonce-/);
  const html = await page.text();
  expect(html).toContain('<label for="password">');
  expect(html).not.toContain("<script");
});

test("says that a password is wrong and lets the owner try again in the same form", async () => {
  const { issuer, password } = await start();
  const { submit } = await atForm(issuer);
  const wrong = await submit("not the password");
  expect(wrong.status).toBe(401);
  expect(await wrong.text()).toMatch(/role="alert">That is not the password/);
  expect((await submit(password)).status).toBe(303);
});

test("makes guessing wait, even for the right password, and longer each time", async () => {
  let now = 0;
  const { issuer, password } = await start({ now: () => now });
  const { submit } = await atForm(issuer);
  for (let tries = 0; tries < 5; tries += 1) expect((await submit("guess")).status).toBe(401);
  const held = await submit(password);
  expect([held.status, held.headers.get("retry-after")]).toEqual([429, "2"]);
  now += 2_000;
  expect((await submit("guess")).status).toBe(401);
  expect((await submit(password)).headers.get("retry-after")).toBe("4");
  now += 4_000;
  expect((await submit(password)).status).toBe(303);
});

test("makes guesses sent at once wait too", async () => {
  const { issuer } = await start({ now: () => 0 });
  const { submit } = await atForm(issuer);
  const statuses = (await Promise.all(Array.from({ length: 12 }, () => submit("guess")))).map(({ status }) => status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(5);
});

test("asks for the password at every sign-in, whatever cookies come along", async () => {
  const { issuer, password } = await start();
  const { client, submit } = await atForm(issuer);
  await client.visit(leadsTo(await submit(password), issuer));
  expect(leadsTo(await client.visit(authorizeUrl(issuer)), issuer)).toContain("/sign-in/");
  const silent = new URL(leadsTo(await client.visit(authorizeUrl(issuer, { prompt: "none" })), issuer));
  expect(silent.searchParams.get("error")).toBe("login_required");
});

test("refuses a form that another browser, another site or nobody began", async () => {
  const { issuer, password } = await start();
  const { form, submit } = await atForm(issuer);
  const body = new URLSearchParams({ password });
  expect((await fetch(form, { method: "POST", body, redirect: "manual" })).status).toBe(400);
  expect((await submit(password, { origin: "https://evil.example" })).status).toBe(403);
  expect((await submit(password, { origin: "null" })).status).toBe(403);
  expect((await fetch(form.replace(/[^/]+$/, randomUUID()))).status).toBe(400);
});

test("answers only under its own host name", async () => {
  const { issuer } = await start();
  const { port } = new URL(issuer);
  expect((await fetch(`http://localhost:${port}/.well-known/openid-configuration`)).status).toBe(421);
});

test("gives no code without PKCE, to another redirect address or another client", async () => {
  const { issuer } = await start();
  const client = headlessBrowser();
  const bare = new URL(authorizeUrl(issuer));
  bare.searchParams.delete("code_challenge");
  bare.searchParams.delete("code_challenge_method");
  const refused = new URL(leadsTo(await client.visit(bare.toString()), issuer));
  expect(refused.searchParams.get("error")).toBe("invalid_request");
  expect(
    (await client.visit(authorizeUrl(issuer, { code_challenge_method: "plain" }))).headers.get("location"),
  ).toContain("error=");
  expect((await client.visit(authorizeUrl(issuer, { redirect_uri: "https://evil.example/" }))).status).toBe(400);
  expect((await client.visit(authorizeUrl(issuer, { client_id: "other" }))).status).toBe(400);
});

test("exchanges a code once, with the right verifier and secret only", async () => {
  const { issuer, password } = await start();
  const code = async () => (await signIn(issuer, password)).searchParams.get("code") ?? "";
  expect((await exchange(issuer, await code(), { code_verifier: "w".repeat(64) })).status).toBe(400);
  expect((await exchange(issuer, await code(), {}, "wrong")).status).toBe(401);
  const good = await code();
  expect((await exchange(issuer, good)).status).toBe(200);
  expect((await exchange(issuer, good)).status).toBe(400);
});

async function signedIn(issuer: string, password: string, email = "owner@localhost.test") {
  const { client, form } = await atForm(issuer);
  const body = new URLSearchParams({ email, password });
  const resume = leadsTo(await client.visit(form, { method: "POST", body }), issuer);
  const returned = new URL(leadsTo(await client.visit(resume), issuer));
  const answer = await exchange(issuer, returned.searchParams.get("code") ?? "");
  return z.object({ id_token: z.string(), refresh_token: z.string() }).parse(await answer.json());
}

function refresh(issuer: string, token: string) {
  return exchange(issuer, "", { grant_type: "refresh_token", refresh_token: token });
}

test("renews a sign-in, also after a restart and more than once at a time, and keeps that to this user", async () => {
  const own = await mkdtemp(join(tmpdir(), "login-"));
  const first = await start({ stateDir: own });
  const { refresh_token } = await signedIn(first.issuer, first.password);
  await running.pop()?.close();
  const second = await start({ stateDir: own });
  const answers = await Promise.all([refresh(second.issuer, refresh_token), refresh(second.issuer, refresh_token)]);
  for (const answer of answers) {
    const renewed = tokenSchema.parse(await answer.json());
    expect(decodeJwt(renewed.id_token)).toMatchObject({ email: "owner@localhost.test" });
  }
  expect((await refresh(second.issuer, "made-up")).status).toBe(400);
  expect((await stat(join(own, "sessions.json"))).mode & 0o777).toBe(0o600);
  await rm(own, { recursive: true });
});

test("renews nothing for somebody who may no longer sign in", async () => {
  const own = await mkdtemp(join(tmpdir(), "login-"));
  const people = ["owner@localhost.test", "friend@localhost.test"];
  const first = await start({ stateDir: own, people });
  const password = (await readFile(first.people[1]?.passwordFile ?? "", "utf8")).trim();
  const { refresh_token } = await signedIn(first.issuer, password, "friend@localhost.test");
  expect((await refresh(first.issuer, refresh_token)).status).toBe(200);
  await running.pop()?.close();
  const second = await start({ stateDir: own, people: people.slice(0, 1) });
  expect((await refresh(second.issuer, refresh_token)).status).toBe(400);
  await rm(own, { recursive: true });
});

test("tells several people apart, each with a password of their own", async () => {
  const own = await mkdtemp(join(tmpdir(), "login-"));
  const { issuer, people, password } = await start({
    stateDir: own,
    people: ["owner@localhost.test", "Friend@localhost.test"],
  });
  const [owner, friend] = people;
  const friends = (await readFile(friend?.passwordFile ?? "", "utf8")).trim();
  expect(friends).not.toBe(password);
  const ids = [await signedIn(issuer, password), await signedIn(issuer, friends, "friend@localhost.test")];
  expect(ids.map(({ id_token }) => decodeJwt(id_token).sub)).toEqual([owner.subject, friend?.subject]);

  const { client, form } = await atForm(issuer);
  const submit = (email: string, word: string) =>
    client.visit(form, { method: "POST", body: new URLSearchParams({ email, password: word }) });
  expect((await submit("friend@localhost.test", password)).status).toBe(401);
  expect((await submit("nobody@localhost.test", password)).status).toBe(401);
  expect((await submit("owner@localhost.test", password)).status).toBe(303);
  await rm(own, { recursive: true });
});

test("gives the pages' tickets a day, the keys at Access's address, and no refresh", async () => {
  const { issuer, password } = await start();
  const { client, form } = await atForm(issuer, headlessBrowser(), {
    client_id: "pages",
    redirect_uri: PAGES_REDIRECT,
  });
  const body = new URLSearchParams({ email: "owner@localhost.test", password });
  const resume = leadsTo(await client.visit(form, { method: "POST", body }), issuer);
  const returned = new URL(leadsTo(await client.visit(resume), issuer));
  const answer = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`pages:${encodeURIComponent("a secret of Access")}`)}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: returned.searchParams.get("code") ?? "",
      redirect_uri: PAGES_REDIRECT,
      code_verifier: VERIFIER,
    }),
  });
  const tokens = z.object({ id_token: z.string(), refresh_token: z.string().optional() }).parse(await answer.json());
  expect(tokens.refresh_token).toBeUndefined();
  const keys = createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`));
  const { payload } = await jwtVerify(tokens.id_token, keys, { issuer, audience: "pages" });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(24 * 3600);
});

test("prints nothing", async () => {
  const spies = (["log", "info", "warn", "error"] as const).map((name) => vi.spyOn(console, name));
  const { issuer, password } = await start();
  await identity(issuer, password);
  await fetch(`${issuer}/auth`);
  for (const spy of spies) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});
