import { lookup } from "node:dns/promises";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isPublicAddress } from "./address.ts";
import { join } from "./server/join.ts";

const CONNECT_TIMEOUT_MS = 15_000;

type Reached = { type: "reached"; socket: Socket } | { type: "refused"; status: 400 | 403 | 502; reason: string };

/**
 * An HTTP proxy (CONNECT, and plain http:// requests) for what has no network; the function serves one connection.
 * The proxy resolves the name itself, refuses a name that has any address that is not public, and dials the address
 * it has checked: a second answer of the name server is never used. With `allow`, only these hosts and `*.` patterns
 * are reached. `privateHosts` (`host` or `host:port`) are reached wherever they are.
 */
export function createEgressProxy(options: {
  allow?: string[] | undefined;
  privateHosts?: readonly string[];
  log: (line: string) => void;
  /** The edges to the network, which tests replace. */
  resolve?: (host: string) => Promise<string[]>;
  dial?: (address: string, port: number) => Socket;
}): (socket: Socket) => void {
  const { allow, privateHosts = [], log, resolve = resolveAll, dial = dialAddress } = options;

  function refuse(reason: string): Reached {
    log(`egress refused: ${reason}`);
    return { type: "refused", status: 403, reason };
  }

  async function reach(url: URL | null, defaultPort: number): Promise<Reached> {
    if (url === null) return { type: "refused", status: 400, reason: "Not a request this proxy understands" };
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (allow !== undefined && !allow.some((pattern) => matches(pattern, host))) {
      return refuse(`${host} is not on the list of allowed hosts`);
    }
    const addresses = isIP(host) === 0 ? await resolve(host).catch(() => []) : [host];
    if (addresses.length === 0) return refuse(`${host} does not resolve`);
    const port = url.port === "" ? defaultPort : Number(url.port);
    const trusted = privateHosts.includes(host) || privateHosts.includes(`${host}:${port}`);
    if (!trusted && !addresses.every(isPublicAddress)) return refuse(`${host} is not a public address`);
    for (const address of addresses) {
      const socket = dial(address, port);
      if (await connected(socket)) return { type: "reached", socket };
    }
    return { type: "refused", status: 502, reason: `${host} does not answer` };
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? "");
    const reached = await reach(url?.protocol === "http:" ? url : null, 80);
    if (reached.type === "refused") {
      response.writeHead(reached.status, { "content-type": "text/plain" }).end(`${reached.reason}\n`);
      return;
    }
    const { "proxy-connection": _hop, "proxy-authorization": _secret, ...headers } = request.headers;
    const onward = httpRequest({
      createConnection: () => reached.socket,
      method: request.method,
      path: `${url?.pathname}${url?.search}`,
      headers: { ...headers, connection: "close" },
    });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.headers);
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }

  async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on("error", () => client.destroy());
    const reached = await reach(URL.parse(`https://${request.url}`), 443);
    if (reached.type === "refused") {
      const body = `${reached.reason}\n`;
      const headers = `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
      client.end(`HTTP/1.1 ${reached.status} Refused\r\n${headers}\r\n\r\n${body}`);
      return;
    }
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) client.unshift(head);
    join(client, reached.socket);
  }

  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy());
  });
  server.on("connect", (request, client, head) => {
    tunnel(request, client, head).catch(() => client.destroy());
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  return (socket) => void server.emit("connection", socket);
}

function connected(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy());
    socket.once("connect", () => {
      socket.setTimeout(0);
      resolve(true);
    });
    socket.on("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

async function resolveAll(host: string): Promise<string[]> {
  // RFC 6761, 6.3: these names are this machine's, whether or not the name server knows.
  if (host.endsWith(".localhost")) return ["127.0.0.1"];
  const addresses = await lookup(host, { all: true });
  return addresses.map(({ address }) => address);
}

function dialAddress(address: string, port: number): Socket {
  return connect({ host: address, port, allowHalfOpen: true, noDelay: true });
}

function matches(pattern: string, host: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}
