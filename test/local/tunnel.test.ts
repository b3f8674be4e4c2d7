import { once } from "node:events";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { eventually, NO_SESSION, startTestHost, type TestContainer, type TestHost } from "./container-under-test.ts";

let host: TestHost;
let one: TestContainer;
let two: TestContainer;
const seenByBridge: string[] = [];
const bridge = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.on("data", (data) => seenByBridge.push(data.toString()));
  // The answer comes when the other side has said everything: half-closed connections have to work.
  socket.on("end", () => socket.end(`answer to ${seenByBridge.at(-1)}`));
});

const Seen = z.object({ headers: z.record(z.string(), z.string()), name: z.string().optional() }).loose();

/** Speaks HTTP (JSON of what it was asked, a slow event stream, a large body) and echoes WebSocket messages. */
const SERVICE = `
const http = require('http');
const { WebSocketServer } = require('/opt/sandbox-server/node_modules/ws');
const server = http.createServer((req, res) => {
  if (req.url === '/events') {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\\n\\n');
    server.release = () => res.end('data: 2\\n\\n');
    return;
  }
  if (req.url === '/release') { server.release(); return res.end(); }
  if (req.url === '/large') return res.end(Buffer.alloc(20 * 1024 * 1024, 7));
  if (req.url === '/redirect') { res.writeHead(302, { location: '/elsewhere', 'x-container-host-error': 'spoofed' }); return res.end(); }
  let body = '';
  req.on('data', (chunk) => (body += chunk));
  req.on('end', () => res.setHeader('set-cookie', ['a=1', 'b=2']).end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body, name: process.env.NAME })));
});
new WebSocketServer({ server, maxPayload: 64 * 1024 * 1024 }).on('connection', (socket, req) => {
  socket.send(req.url);
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});
server.listen(8080, '127.0.0.1');
http.createServer((_, res) => res.end('plain')).listen(8082, '127.0.0.1');
`;

beforeAll(async () => {
  bridge.listen(0, "127.0.0.1");
  await once(bridge, "listening");
  const address = bridge.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  host = await startTestHost({ bridge: () => ({ host: "127.0.0.1", port: address.port }) });
  one = host.container("one");
  two = host.container("two");
  for (const [name, box] of [
    ["one", one],
    ["two", two],
  ] as const) {
    await box.start();
    const api = await box.api();
    await api.files.writeFile("/tmp/service.cjs", SERVICE, NO_SESSION);
    await api.processes.startProcess("node /tmp/service.cjs", NO_SESSION, { env: { NAME: name } });
    await eventually(async () => (await box.fetch(8080)).ok);
  }
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  bridge.close();
});

describe("HTTP to a port inside", () => {
  test("passes method, path, headers and body, and nothing of the host", async () => {
    const response = await one.fetch(8080, "/a%20b/c?d=e&f", {
      method: "POST",
      headers: { "x-container-host-authority": "gateway.test:8080", "x-own": "kept" },
      body: "sent",
    });
    const seen = Seen.parse(await response.json());
    expect(seen).toMatchObject({ method: "POST", url: "/a%20b/c?d=e&f", body: "sent" });
    expect(seen.headers).toMatchObject({ host: "gateway.test:8080", "x-own": "kept", "content-length": "4" });
    expect(JSON.stringify(seen)).not.toContain(host.token);
    expect(JSON.stringify(seen)).not.toContain("x-container-host");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  test("streams the answer as it comes", async () => {
    const response = await one.fetch(8080, "/events");
    const reader = response.body?.getReader();
    if (reader === undefined) throw new Error("no body");
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("data: 1\n\n");
    await one.fetch(8080, "/release");
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("data: 2\n\n");
    expect((await reader.read()).done).toBe(true);
  });

  test("carries large bodies whole", async () => {
    expect((await (await one.fetch(8080, "/large")).arrayBuffer()).byteLength).toBe(20 * 1024 * 1024);
  });

  test("hands a redirect to the caller, and lets no container speak for the host", async () => {
    const response = await one.fetch(8080, "/redirect", { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([302, "/elsewhere"]);
    expect(response.headers.get("x-container-host-error")).toBeNull();
  });

  test("says that nothing listens, and that the container does not run", async () => {
    expect((await one.fetch(8081)).headers.get("x-container-host-error")).toBe("not-listening");
    expect((await host.container("never").fetch(8081)).headers.get("x-container-host-error")).toBe("not-running");
  });

  test("keeps the same port of two containers apart", async () => {
    expect(Seen.parse(await (await one.fetch(8080)).json()).name).toBe("one");
    expect(Seen.parse(await (await two.fetch(8080)).json()).name).toBe("two");
  });
});

describe("WebSocket to a port inside", () => {
  test("carries messages both ways, large ones too, and the close", async () => {
    const socket = one.webSocket(8080, "/socket?x=1");
    const next = async () => {
      const [data, binary] = await once(socket, "message");
      return { data, binary };
    };
    expect(String((await next()).data)).toBe("/socket?x=1");
    const large = Buffer.alloc(3 * 1024 * 1024, "x");
    socket.send(large);
    const echo = await next();
    expect([echo.binary, large.equals(echo.data)]).toEqual([true, true]);
    socket.send("text");
    expect(String((await next()).data)).toBe("text");
    socket.close(4001, "enough");
    expect((await once(socket, "close"))[0]).toBe(4001);
  });

  test("ends the connection when the port answers with something else: it carries one request, never a second", async () => {
    const { port } = new URL(host.url);
    const socket = connect(Number(port), "127.0.0.1");
    const request = (path: string) =>
      `GET /containers/one/ports/8082${path} HTTP/1.1\r\nHost: x\r\nx-container-host-token: ${host.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    socket.write(request("/first"));
    socket.write(request("/second"));
    const answers = await text(socket);
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
    expect(answers).toMatch(/Connection: close\r\n\r\nplain$/);
  });

  test("fails for a port nobody listens on", async () => {
    const socket = one.webSocket(8081);
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("502");
  });
});

describe("the bridge", () => {
  test("carries raw bytes to the Worker, with half-closed connections", async () => {
    const script = `
      const socket = require('net').connect({ port: 8790, allowHalfOpen: true });
      socket.end('raw bytes');
      socket.pipe(process.stdout);
    `;
    expect(await one.sh(`node -e "${script.replaceAll("\n", " ")}"`)).toBe("answer to raw bytes");
    expect(seenByBridge).toEqual(["raw bytes"]);
  });
});

describe("who may ask the container host", () => {
  test("nobody without the token", async () => {
    for (const token of ["", "wrong", `${host.token}x`, host.token.replace(/./g, "0")]) {
      const headers = { "x-container-host-token": token };
      expect((await fetch(`${host.url}/containers/one/status`, { headers })).status).toBe(404);
      expect((await fetch(`${host.url}/containers/one/ports/8080/`, { headers })).status).toBe(404);
    }
    const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
    socket.write(
      "GET /containers/one/ports/3000/rpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1.1 404/);
    socket.destroy();
  });

  test.each(["../../etc", "%2e%2e", "UPPER", "a.b", "", "a".repeat(65)])("nobody by the id %j", async (id) => {
    const response = await fetch(`${host.url}/containers/${id}/start`, {
      method: "POST",
      headers: { "x-container-host-token": host.token },
      body: '{"env":{}}',
    });
    expect(response.status).toBe(404);
  });

  test("nobody with a body that is not what start takes", async () => {
    for (const body of ["{", "{}", '{"env":{"A=B":"x"}}', '{"env":{"A":1}}', '{"env":{},"more":1}']) {
      const response = await fetch(`${host.url}/containers/bad/start`, {
        method: "POST",
        headers: { "x-container-host-token": host.token },
        body,
      });
      expect(response.status).toBe(400);
    }
    expect(await host.container("bad").running()).toBe(false);
  });
});
