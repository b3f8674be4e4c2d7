import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { passWorker } from "./worker.ts";

const TOKEN = "token-of-the-gateway";
/** Codes that `ws` agrees to send. */
const SENDABLE = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4001, 4999];

/** A gateway of the test's: it keeps what it was asked, and answers as the test wants. */
const asked: IncomingMessage[] = [];
const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
const gateway = createServer((request, response) => void served(request, response));
async function served(request: IncomingMessage, response: ServerResponse) {
  asked.push(request);
  let body = "";
  for await (const part of request) body += String(part);
  const { url } = request;
  switch (url) {
    case "/moved":
      return response.writeHead(302, { location: "/elsewhere" }).end();
    case "/cookie":
      return response.writeHead(200, { "set-cookie": "a=1; Domain=example.com", "x-kept": "1" }).end();
    case "/stream":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
      return setTimeout(() => response.end("data: two\n\n"), 200);
    case undefined:
    default:
      return response.end(JSON.stringify({ url, method: request.method, body }));
  }
}
gateway.on("upgrade", (request, socket, head) => {
  asked.push(request);
  if (request.url === "/no")
    return socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  sockets.handleUpgrade(request, socket, head, (inside) => sockets.emit("connection", inside, request));
});

let worker: Awaited<ReturnType<typeof passWorker>>;
let url: string;
beforeAll(async () => {
  gateway.listen(0, "127.0.0.1");
  await once(gateway, "listening");
  const { port } = z.object({ port: z.number() }).parse(gateway.address());
  worker = await passWorker({ url: `http://127.0.0.1:${port}`, token: TOKEN });
  ({ url } = worker);
});
afterAll(async () => {
  await worker.close();
  for (const socket of sockets.clients) socket.terminate();
  gateway.closeAllConnections();
  gateway.close();
});
beforeEach(() => void (asked.length = 0));

/** Both ends of a connection through the Worker. */
async function through(headers: Record<string, string> = {}): Promise<{ person: WebSocket; inside: WebSocket }> {
  const inside = once(sockets, "connection");
  const person = new WebSocket(`${url.replace("http", "ws")}/`, { headers, maxPayload: 64 * 1024 * 1024 });
  await once(person, "open");
  const [socket] = await inside;
  return { person, inside: socket };
}

async function heard(socket: WebSocket): Promise<[string | Buffer, boolean]> {
  const [data, isBinary] = await once(socket, "message");
  return [isBinary ? data : String(data), isBinary];
}

async function say(from: WebSocket, to: WebSocket, frame: unknown): Promise<void> {
  from.send(JSON.stringify(frame));
  await heard(to);
}

async function usedSoFar(): Promise<number> {
  return z.number().parse(await (await fetch(`${url}/test/used`)).json());
}

describe("a request", () => {
  it("reaches the gateway with its token and without the person's cookies, ticket or address", async () => {
    const answer = await fetch(`${url}/a%20path/?q=1&q=2`, {
      method: "POST",
      body: "hello",
      headers: {
        cookie: "CF_Authorization=ticket",
        authorization: "Bearer of-the-browser",
        "cf-access-jwt-assertion": "ticket",
        "x-forwarded-for": "192.0.2.1",
        forwarded: "for=192.0.2.1",
        "x-real-ip": "192.0.2.1",
        "content-type": "text/plain",
        origin: "https://ui.example",
      },
    });
    expect(await answer.json()).toEqual({ url: "/a%20path/?q=1&q=2", method: "POST", body: "hello" });
    const { headers } = asked[0] ?? {};
    expect(headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      origin: "https://ui.example",
      "x-host": "ui.example",
    });
    const shown = JSON.stringify(headers);
    for (const hidden of ["ticket", "of-the-browser", "192.0.2.1", "forwarded", "x-real-ip", "cookie", "cf-access"]) {
      expect(shown).not.toContain(hidden);
    }
  });

  it("is answered as the gateway does: redirects, streams, no cookies", async () => {
    const moved = await fetch(`${url}/moved`, { redirect: "manual" });
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "/elsewhere"]);
    const cookie = await fetch(`${url}/cookie`);
    expect([cookie.headers.get("set-cookie"), cookie.headers.get("x-kept")]).toEqual([null, "1"]);
    const parts: string[] = [];
    const stream = await fetch(`${url}/stream`);
    for await (const part of stream.body ?? []) parts.push(new TextDecoder().decode(part));
    expect(parts).toEqual(["data: one\n\n", "data: two\n\n"]);
  });
});

describe("a connection", () => {
  it("gets the token with its first frame only, and every other frame passes as it is", async () => {
    const { person, inside } = await through({ cookie: "CF_Authorization=ticket", origin: "https://ui.example" });
    const { headers } = asked[0] ?? {};
    expect(headers).toMatchObject({ origin: "https://ui.example" });
    expect(headers?.cookie).toBeUndefined();
    expect(headers?.authorization).toBeUndefined();
    const frames: (string | Buffer)[] = [
      JSON.stringify({ type: "req", id: "2", method: "connect", params: { auth: { token: "kept" } } }),
      "not json { ü € 🦞",
      "",
      Buffer.from([0, 255, 1, 254]),
      Buffer.alloc(0),
      "x".repeat(3_000_000),
      Buffer.alloc(3_000_000, 7),
    ];
    person.send(JSON.stringify({ type: "req", id: "1", method: "connect", params: { auth: { token: "own" } } }));
    expect(JSON.parse(String((await heard(inside))[0]))).toMatchObject({
      params: { auth: { deviceToken: "own", password: TOKEN } },
    });
    for (const [from, to] of [
      [person, inside],
      [inside, person],
    ] as const) {
      for (const frame of frames) {
        from.send(frame);
        const [data, isBinary] = await heard(to);
        expect(isBinary).toBe(Buffer.isBuffer(frame));
        expect(Buffer.compare(Buffer.from(data), Buffer.from(frame))).toBe(0);
      }
    }
    person.close();
  });

  it.each(SENDABLE)("closed with %i by either side is closed so on the other", async (code) => {
    for (const side of ["person", "inside"] as const) {
      const ends = await through();
      const other = side === "person" ? ends.inside : ends.person;
      ends[side].close(code, "why");
      const [told, reason] = await once(other, "close");
      expect([told, String(reason)]).toEqual([code, "why"]);
    }
  });

  it("closed without a code, or broken, is closed on the other side with one that may be said", async () => {
    for (const side of ["person", "inside"] as const) {
      const silent = await through();
      const other = side === "person" ? silent.inside : silent.person;
      silent[side].close();
      expect((await once(other, "close"))[0]).toBe(1000);

      const broken = await through();
      const left = side === "person" ? broken.inside : broken.person;
      broken[side].terminate();
      expect((await once(left, "close"))[0]).toBe(1011);
    }
  });

  it("that is refused is answered as the gateway answers", async () => {
    const person = new WebSocket(`${url.replace("http", "ws")}/no`);
    person.on("error", () => undefined);
    const [, answer] = await once(person, "unexpected-response");
    expect(answer.statusCode).toBe(403);
  });

  it("may not say more at once than this Worker can hold", async () => {
    const { person, inside } = await through();
    const closed = once(person, "close");
    const part = Buffer.alloc(8 * 1024 * 1024);
    for (let sent = 0; sent < 6; sent += 1) inside.send(part);
    expect((await closed)[0]).toBe(1013);
  });

  it("puts off sleep when a person or a run is busy, and not while it is only open", async () => {
    const { person, inside } = await through();
    const before = await usedSoFar();
    await say(person, inside, { type: "req", id: "1", method: "connect", params: {} });
    await say(inside, person, { type: "event", event: "tick", payload: {} });
    await say(inside, person, { type: "res", id: "9", ok: true });
    expect(await usedSoFar()).toBe(before);
    await say(person, inside, { type: "req", id: "2", method: "chat.send", params: {} });
    expect(await usedSoFar()).toBe(before + 1);
    // Not for each frame: once in a few seconds is enough.
    await say(person, inside, { type: "req", id: "3", method: "chat.send", params: {} });
    expect(await usedSoFar()).toBe(before + 1);
    person.close();
    const running = await through();
    await say(running.inside, running.person, { type: "event", event: "agent", payload: {} });
    expect(await usedSoFar()).toBe(before + 2);
    running.person.close();
  });
});

describe("the page that waits", () => {
  it("holds what the container wrote as the text of one attribute", async () => {
    const wrote = [
      `"><script>hacked()</script>`,
      "' onload='x",
      "</main></body>",
      "&quot;&#34;",
      "\u2028<!--",
      "x".repeat(40_000),
    ];
    for (const reason of wrote) {
      const html = await (await fetch(`${url}/test/waiting`, { method: "POST", body: reason })).text();
      const [, held = ""] = /data-waiting="([^"]*)"/.exec(html) ?? [];
      expect(held).not.toMatch(/[<>']/);
      const text = held.replaceAll(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)));
      expect(JSON.parse(text)).toEqual({ phase: "failed", starts: 1, reason, log: [reason] });
      expect(html.match(/<script/g)).toHaveLength(1);
    }
  });
});
