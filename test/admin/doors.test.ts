import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../src/admin/routes.ts";
import type { Route } from "../../src/admin/route.ts";
import { type Answer, answerOf, TestClient } from "../auth/client.ts";
import { expectDiscreet } from "../auth/discreet.ts";
import { type AuthStack, authStack, OWNER, SERVICE_TOKEN, STRANGER } from "../auth/stack.ts";

let stack: AuthStack;
/** By the names of the tests below: what somebody shows at the door. */
let shown: Record<string, Record<string, string>>;
beforeAll(async () => {
  stack = await authStack();
  const { issuer } = stack;
  const now = Math.floor(Date.now() / 1000);
  const person = { email: OWNER.email, sub: "" };
  const cookie = async (...ticket: Parameters<typeof issuer.ticket>) => ({
    cookie: `CF_Authorization=${await issuer.ticket(...ticket)}`,
  });
  const { access_token } = await (await TestClient.register(stack.url)).tokens(["chat", "exec", "control"]);
  shown = {
    nothing: {},
    "no ticket but text": { cookie: "CF_Authorization=hello" },
    "a ticket for another application": await cookie({ ...person, aud: ["another"] }),
    "a ticket for the sign-in of MCP clients": await cookie({ ...person, aud: issuer.client.id }),
    "a ticket of another team": await cookie({ ...person, iss: "https://other.cloudflareaccess.com" }),
    "a ticket that has expired": await cookie({ ...person, iat: now - 7200, nbf: now - 7200, exp: now - 3600 }),
    "a ticket that nobody signed": await cookie(person, (same) => ({ ...same, alg: "none", key: "none" })),
    "a ticket that another key signed": await cookie(person, (same) => ({ ...same, key: "foreign" })),
    "a person on no list": await cookie({ email: STRANGER.email, sub: "" }),
    "a service on no list": await cookie({ common_name: "unknown.access", sub: "" }),
    "a client's token with every right": { authorization: `Bearer ${access_token}` },
    "the owner's ticket": await cookie(person),
    "a service's ticket": await cookie({ common_name: SERVICE_TOKEN, sub: "" }),
  };
});
afterAll(() => stack?.close());

const STRANGERS: [what: string, status: number][] = [
  ["nothing", 401],
  ["no ticket but text", 401],
  ["a ticket for another application", 401],
  ["a ticket for the sign-in of MCP clients", 401],
  ["a ticket of another team", 401],
  ["a ticket that has expired", 401],
  ["a ticket that nobody signed", 401],
  ["a ticket that another key signed", 401],
  ["a person on no list", 403],
  ["a service on no list", 403],
  ["a client's token with every right", 401],
];

const TABLE = ROUTES.map((route): [path: string, route: Route] => [route.path, route]);
const CHANGES = TABLE.filter(([, { method }]) => method === "POST");

async function ask(path: string, init: RequestInit): Promise<Answer> {
  return await answerOf(await fetch(`${stack.url}/admin/api/${path}`, { redirect: "manual", ...init }));
}

/** As the Worker's own page asks, with whatever is shown. */
function asking({ method }: Pick<Route, "method">, headers: Record<string, string> = {}): RequestInit {
  const own = { origin: stack.url, "content-type": "application/json" };
  return { method, headers: { ...own, ...headers }, ...(method === "POST" ? { body: "{}" } : {}) };
}

describe("no route of the table opens to", () => {
  it.each(STRANGERS)("%s", async (what, status) => {
    for (const [path, route] of TABLE) {
      const refused = await ask(path, asking(route, shown[what]));
      expect([path, refused.status]).toEqual([path, status]);
      expect(refused.headers.get("cache-control")).toBe("no-store");
      expectDiscreet(refused);
      // Neither do they learn by another method which routes there are.
      const other = await ask(path, asking({ method: route.method === "GET" ? "POST" : "GET" }, shown[what]));
      expect([path, other.status, other.text]).toEqual([path, status, refused.text]);
    }
    const nowhere = await ask("nothing-there", asking({ method: "GET" }, shown[what]));
    expect(nowhere.status).toBe(status);
  });
});

describe("no change is made for", () => {
  it.each(CHANGES)("another site that has the owner's browser ask: %s", async (path, route) => {
    const { host, port } = new URL(stack.url);
    for (const origin of [
      "https://evil.example",
      "null",
      "",
      `http://${host}.evil.example`,
      `http://evil.example/${host}`,
      `http://localhost:${Number(port) + 1}`,
      `${stack.url}/`,
      `${stack.url}, ${stack.url}`,
    ]) {
      const refused = await ask(path, asking(route, { ...shown["the owner's ticket"], origin }));
      expect([origin, refused.status]).toEqual([origin, 403]);
      expectDiscreet(refused);
    }
    const { origin: _, ...without } = {
      origin: "",
      "content-type": "application/json",
      ...shown["the owner's ticket"],
    };
    expect((await ask(path, { method: "POST", headers: without, body: "{}" })).status).toBe(403);
    // A service sends no origin; when it sends one it is a page, and the page has to be ours.
    const page = await ask(path, asking(route, { ...shown["a service's ticket"], origin: "https://evil.example" }));
    expect(page.status).toBe(403);
  });

  it.each(CHANGES)("a link or a picture: GET of %s", async (path) => {
    for (const method of ["GET", "HEAD"]) {
      const refused = await ask(path, { method, headers: shown["the owner's ticket"] ?? {} });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  it("anybody at all, as the bot's counts show", async () => {
    expect(await stack.counts()).toMatchObject({ starts: 0, running: false });
  });
});
