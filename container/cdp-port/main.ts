/**
 * A browser's DevTools port on loopback that has no browser behind it: what it is asked it asks of the bridge, with the
 * token of this container's start. Whoever can connect here could read the token as well.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";

const LOOPBACK = "127.0.0.1";

const port = Number(given("CDP_PORT"));
const bridge = new URL(given("CDP_BRIDGE_URL"));
/** Where WebSockets go when the bridge's address turns out not to carry them. */
const fallback = process.env.CDP_FALLBACK_URL === undefined ? undefined : new URL(process.env.CDP_FALLBACK_URL);
/** By which address the last WebSocket came about. */
let socketsBy = bridge;
const authorization = `Bearer ${given("BRIDGE_TOKEN")}`;
const hosts = new Set([LOOPBACK, "localhost"].map((name) => `${name}:${port}`));

const server = createServer((request, response) => {
  if (!isLocal(request)) return void response.writeHead(403).end("This port is for programs of this container.\n");
  const onward = ask(bridge, request, {});
  onward.on("response", (answer) => void relay(request, answer, response));
  onward.on("error", () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end("The bridge does not answer.\n");
  });
  response.on("close", () => onward.destroy());
  onward.end();
});

server.on("upgrade", (request, client, head) => {
  client.on("error", () => client.destroy());
  if (!isLocal(request)) return void client.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
  // No extension is offered to the bridge: frames go through as they are, so both ends have to mean the same by them.
  const { "sec-websocket-key": key = "", "sec-websocket-version": version = "13" } = request.headers;
  const handshake = { "sec-websocket-key": key, "sec-websocket-version": version };
  const headers = { connection: "Upgrade", upgrade: "websocket", ...handshake };
  const attempt = (address: URL, refused: (status: string) => void) => {
    const onward = ask(address, request, headers);
    const once = (status: string) => {
      for (const event of ["response", "error"]) onward.removeAllListeners(event).on(event, () => undefined);
      if (!client.destroyed) refused(status);
    };
    onward.on("upgrade", (answer, upstream, early) => {
      socketsBy = address;
      client.write(head101(answer));
      if (early.length > 0) client.write(early);
      if (head.length > 0) upstream.write(head);
      couple(client, upstream);
      couple(upstream, client);
    });
    onward.on("response", (answer) => {
      answer.resume();
      once(`${answer.statusCode ?? 502} ${answer.statusMessage ?? ""}`);
    });
    onward.on("error", () => once("502 Bad Gateway"));
    client.on("close", () => onward.destroy());
    onward.end();
  };
  const give = (status: string) => void client.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  // A refusal may be the bridge's own, or of something on the way that knows no WebSockets: the other way tells.
  const other = socketsBy === bridge ? fallback : bridge;
  attempt(socketsBy, other === undefined ? give : () => attempt(other, give));
});

server.on("clientError", (_error, socket) => socket.destroy());
server.listen(port, LOOPBACK);

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set.`);
  return value;
}

/** A web page that found this port would show its origin, or another host than loopback's. */
function isLocal(request: IncomingMessage): boolean {
  return request.headers.origin === undefined && hosts.has(request.headers.host ?? "");
}

function ask(address: URL, request: IncomingMessage, headers: Record<string, string>) {
  const options = {
    host: address.hostname,
    port: address.port === "" ? undefined : address.port,
    method: request.method,
    // The path of a host alone is a slash, which the request brings along.
    path: address.pathname.replace(/\/$/, "") + (request.url ?? "/"),
    headers: { ...headers, authorization },
    agent: false,
  };
  return address.protocol === "https:" ? httpsRequest(options) : httpRequest(options);
}

/** The bridge names sockets by path; by which host this port was reached is known here. */
async function relay(request: IncomingMessage, answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  const type = answer.headers["content-type"] ?? "text/plain";
  const base = `ws://${request.headers.host ?? ""}`;
  const content = type.includes("json")
    ? JSON.stringify(JSON.parse(body.toString()), (name, value: unknown) =>
        name === "webSocketDebuggerUrl" && typeof value === "string" ? base + value : value,
      )
    : body;
  response.writeHead(answer.statusCode ?? 502, { "content-type": type, "content-length": Buffer.byteLength(content) });
  response.end(content);
}

function head101(answer: IncomingMessage): string {
  const lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"];
  const accept = answer.headers["sec-websocket-accept"];
  if (accept !== undefined) lines.push(`Sec-WebSocket-Accept: ${accept}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Backpressure included; when one side is gone, so is the other. */
function couple(from: Duplex, to: Duplex): void {
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroy());
  from.pipe(to);
}
