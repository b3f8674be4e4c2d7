import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type AuthStack, authStack, FRIEND, OWNER, SERVICE_TOKEN, STRANGER } from "../auth/stack.ts";

let stack: AuthStack;
/** Where the Control UI is: the same port under another name. */
let origin: string;
let cookie: string;
beforeAll(async () => {
  stack = await authStack();
  origin = stack.url.replace("localhost", "ui.localhost");
  cookie = `CF_Authorization=${await stack.issuer.ticket({ sub: "", email: OWNER.email })}`;
});
afterAll(() => stack.close());

interface Asked {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
}

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
}

/** Asks by the name of the Control UI's host, which this machine need not know. */
async function ask({ path = "/", method = "GET", headers = {} }: Asked): Promise<Answer> {
  const { host, port } = new URL(origin);
  const sent = httpRequest({
    host: "127.0.0.1",
    port,
    path,
    method,
    headers: { host, "accept-encoding": "identity", ...headers },
  });
  const answered = Promise.race([once(sent, "response"), once(sent, "upgrade").then(() => [{ statusCode: 101 }])]);
  sent.end();
  const [answer] = await answered;
  if (answer.statusCode === 101) {
    sent.destroy();
    return { status: 101, headers: {}, text: "" };
  }
  let text = "";
  for await (const part of answer) text += String(part);
  return { status: answer.statusCode, headers: answer.headers, text };
}

const SOCKET = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const GOES_THERE = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", accept: "text/html" };

describe("the Control UI's host", () => {
  it("is shut to whoever has no ticket for it, a thousand times over, and starts and renews nothing", async () => {
    const before = await stack.counts();
    const forged = await Promise.all([
      stack.issuer.ticket({ sub: "", email: STRANGER.email }),
      stack.issuer.ticket({ sub: "", email: OWNER.email, aud: "elsewhere" }),
      stack.issuer.ticket({ sub: "", common_name: "unknown.access" }),
    ]);
    const tickets = [...forged, "guessed"];
    const doors: Asked[] = [
      { headers: { ...GOES_THERE, "sec-fetch-user": "?1" } },
      { path: "/control-ui-config.json" },
      { path: "/_moltbot/status" },
      { path: "/_moltbot/waiting.js" },
      { path: "/_moltbot/wake", method: "POST", headers: { origin } },
      { path: "/api/v1/admin/rpc", method: "POST", headers: { origin } },
      { headers: { ...SOCKET, origin } },
      ...tickets.map((ticket) => ({
        headers: { ...GOES_THERE, "sec-fetch-user": "?1", cookie: `CF_Authorization=${ticket}` },
      })),
      ...tickets.map((ticket) => ({ headers: { ...SOCKET, origin, "cf-access-jwt-assertion": ticket } })),
    ];
    const statuses = new Set<number>();
    for (let round = 0; round < 1_000 / doors.length; round += 1) {
      for (const { status } of await Promise.all(doors.map(ask))) statuses.add(status);
    }
    expect([...statuses].toSorted((a, b) => a - b)).toEqual([401, 403]);
    expect(await stack.counts()).toEqual({ ...before, starts: 0, running: false });
  });

  it("takes sockets and changes from its own pages alone", async () => {
    const origins = [
      undefined,
      "null",
      "https://elsewhere.example",
      stack.url,
      `${origin}0`,
      `${origin}.example`,
      "http://ui.localhost",
    ];
    for (const from of origins) {
      const own = from === undefined ? {} : { origin: from };
      expect((await ask({ headers: { ...SOCKET, cookie, ...own } })).status).toBe(403);
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        expect((await ask({ path: "/_moltbot/wake", method, headers: { cookie, ...own } })).status).toBe(403);
        expect((await ask({ path: "/some/api", method, headers: { cookie, ...own } })).status).toBe(403);
      }
    }
    // From its own page it comes as far as the gateway, which sleeps.
    expect((await ask({ headers: { ...SOCKET, cookie, origin } })).status).toBe(503);
    expect((await ask({ path: "/some/api", method: "POST", headers: { cookie, origin } })).status).toBe(503);
    expect(await stack.counts()).toMatchObject({ starts: 0, running: false });
  });

  it("gives other sites' pages nothing of it", async () => {
    for (const site of ["cross-site", "same-site"]) {
      for (const mode of ["no-cors", "cors", "websocket"]) {
        const headers = { cookie, "sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": "script" };
        expect((await ask({ path: "/_moltbot/status", headers })).status).toBe(403);
      }
      const framed = { cookie, "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" };
      expect((await ask({ headers: framed })).status).toBe(403);
      // A link leads there.
      const linked = await ask({ headers: { cookie, ...GOES_THERE, "sec-fetch-site": site } });
      expect([linked.status, linked.text.includes("data-waiting")]).toEqual([503, true]);
    }
    expect(await stack.counts()).toMatchObject({ starts: 0, running: false });
  });

  it("is for people, not for programs", async () => {
    const ticket = await stack.issuer.ticket({ sub: "", common_name: SERVICE_TOKEN });
    expect((await ask({ headers: { cookie: `CF_Authorization=${ticket}` } })).status).toBe(403);
  });

  it("has nothing of the Worker's other routes, and the Worker's host nothing of its", async () => {
    for (const path of [
      "/admin/",
      "/admin/api/me",
      "/admin/terminal",
      "/mcp",
      "/authorize",
      "/oauth/token",
      "/.well-known/oauth-authorization-server",
      "/bridge/state/head",
      "/icons/command.svg",
    ]) {
      const { status, text } = await ask({ path, headers: { cookie } });
      expect([
        path,
        status,
        z.object({ error: z.object({ code: z.string() }) }).parse(JSON.parse(text)).error.code,
      ]).toEqual([path, 503, "unavailable"]);
    }
    for (const path of ["/_moltbot/status", "/_moltbot/wake", "/control-ui-config.json"]) {
      expect((await fetch(`${stack.url}${path}`, { headers: { cookie } })).status).toBe(404);
    }
  });

  it.each([
    "/api/v1/admin/rpc",
    "//api/v1/admin/rpc",
    "/api/v1/admin",
    "/api//v1/admin/rpc",
    "/api/v1/%61dmin/rpc",
    "/api%2Fv1%2Fadmin%2Frpc",
    "/API/v1/Admin/rpc",
    "/x/../api/v1/admin/rpc",
    "/api%5cv1%5cadmin%5crpc",
  ])("does not lead to the Worker's own way into the gateway: %s", async (path) => {
    expect((await ask({ path, method: "POST", headers: { cookie, origin } })).status).toBe(404);
  });

  it("is where a person at the Worker's front door is sent", async () => {
    const person = await fetch(`${stack.url}/`, { redirect: "manual", headers: { accept: "text/html,*/*" } });
    expect([person.status, person.headers.get("location")]).toEqual([302, `${origin}/`]);
    const program = await fetch(`${stack.url}/`);
    expect([program.status, (await program.text()).includes(`${stack.url}/mcp`)]).toEqual([200, true]);
  });
});

describe("a page that is opened while the bot sleeps", () => {
  it("shows so, and wakes it only by hand; its button is in the journal", async () => {
    const restored = await ask({ headers: { cookie, ...GOES_THERE, "sec-fetch-site": "none" } });
    expect(restored.status).toBe(503);
    expect(restored.headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": expect.stringMatching(/default-src 'none'; script-src 'self'.*frame-ancestors 'none'/),
    });
    expect(restored.text).toContain("&#34;phase&#34;:&#34;asleep&#34;");
    expect(restored.text).not.toMatch(/<script(?! src="\/_moltbot\/waiting.js")/);
    expect(JSON.parse((await ask({ path: "/_moltbot/status", headers: { cookie } })).text)).toMatchObject({
      phase: "asleep",
    });
    const script = await ask({ path: "/_moltbot/waiting.js", headers: { cookie } });
    expect([script.status, script.headers["content-type"]]).toEqual([200, "text/javascript; charset=utf-8"]);
    expect((await ask({ path: "/_moltbot/wake", headers: { cookie } })).status).toBe(404);
    expect(await stack.counts()).toMatchObject({ starts: 0, running: false });

    const friend = `CF_Authorization=${await stack.issuer.ticket({ sub: "", email: FRIEND.email })}`;
    // Ten people at once.
    const woken = await Promise.all(
      Array.from({ length: 10 }, () =>
        ask({ path: "/_moltbot/wake", method: "POST", headers: { cookie: friend, origin } }),
      ),
    );
    expect(woken.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    for (const { text } of woken) expect(JSON.parse(text).phase).toMatch(/restoring|starting/);
    await expect
      .poll(async () => JSON.parse((await ask({ path: "/_moltbot/status", headers: { cookie } })).text).phase, {
        timeout: 150_000,
      })
      .toBe("ready");
    const status = JSON.parse((await ask({ path: "/_moltbot/status", headers: { cookie } })).text);
    expect([status.starts, (await stack.counts()).running]).toEqual([1, true]);

    const page = await ask({ headers: { cookie, ...GOES_THERE } });
    expect([page.status, page.text.includes("OpenClaw Control")]).toEqual([200, true]);
    expect(page.headers["set-cookie"]).toBeUndefined();
    const journal = await fetch(`${stack.url}/admin/api/journal?action=control/wake`, { headers: { cookie } });
    expect(JSON.parse(await journal.text()).entries[0]).toMatchObject({
      kind: "admin",
      action: "control/wake",
      outcome: "ok",
    });
  });
});
