import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Dialled } from "./jailed-container.ts";
import { join } from "./server/join.ts";

/** Set on an answer of the host itself, never on one from a container: why a port could not be reached. */
export const ERROR_HEADER = "x-container-host-error";
/** The Host header the container is to see: the caller's own is the container host's address. */
export const AUTHORITY_HEADER = "x-container-host-authority";
export const TOKEN_HEADER = "x-container-host-token";

export const LARGEST_HEADERS = 128 * 1024;

/** Names of a connection, not of the message on it: each leg has its own. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);
const OURS = new Set([ERROR_HEADER, AUTHORITY_HEADER, TOKEN_HEADER]);

/** Raw headers without ours and, if not for an upgrade, without those of the connection. */
function passedOn(rawHeaders: string[], upgrade: boolean): [name: string, value: string][] {
  const passed: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    const key = name.toLowerCase();
    if (!OURS.has(key) && (upgrade || !HOP_BY_HOP.has(key))) passed.push([name, value]);
  }
  return passed;
}

function forContainer(request: IncomingMessage, upgrade: boolean): [string, string][] {
  const authority = request.headers[AUTHORITY_HEADER];
  const headers = passedOn(request.rawHeaders, upgrade);
  if (typeof authority !== "string") return headers;
  return [["Host", authority], ...headers.filter(([name]) => name.toLowerCase() !== "host")];
}

const REFUSALS = {
  "not-listening": 502,
  "not-running": 503,
  "no-answer": 504,
} as const;

/** Sends an HTTP request to a port inside and its answer back, both as streams. */
export function tunnelRequest(
  request: IncomingMessage,
  response: ServerResponse,
  dialled: Dialled,
  path: string,
): void {
  if (dialled.type !== "open") {
    response.writeHead(REFUSALS[dialled.type], { [ERROR_HEADER]: dialled.type }).end();
    return;
  }
  const hasBody = request.headers["transfer-encoding"] !== undefined;
  const inside = httpRequest({
    createConnection: () => dialled.stream,
    method: request.method,
    path,
    setHost: false,
    headers: [...forContainer(request, false), CLOSE, ...(hasBody ? [["Transfer-Encoding", "chunked"]] : [])].flat(),
    maxHeaderSize: LARGEST_HEADERS,
  });
  inside.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedOn(answer.rawHeaders, false).flat());
    // An event stream's reader wants the headers before the first event.
    response.flushHeaders();
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  inside.on("error", () => {
    if (!response.headersSent) response.writeHead(502, { [ERROR_HEADER]: "no-answer" }).end();
    else response.destroy();
  });
  response.on("close", () => inside.destroy());
  request.pipe(inside);
}

/**
 * Hands a connection that wants to be upgraded to a port inside; raw bytes both ways once that agrees. An answer other
 * than 101 is carried as an answer, and ends the connection: left open, the Worker would send its next request, for
 * another container perhaps and with the token, down to this port.
 */
export function tunnelUpgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  dialled: Dialled,
  path: string,
): void {
  if (dialled.type !== "open") {
    client.end(headOf(REFUSALS[dialled.type], "Unreachable", [[ERROR_HEADER, dialled.type], CLOSE]), "latin1");
    return;
  }
  const inside = httpRequest({
    createConnection: () => dialled.stream,
    method: request.method,
    path,
    setHost: false,
    headers: forContainer(request, true).flat(),
    maxHeaderSize: LARGEST_HEADERS,
  });
  inside.on("upgrade", (answer, socket, first) => {
    client.write(headOf(101, "Switching Protocols", passedOn(answer.rawHeaders, true)), "latin1");
    if (first.length > 0) socket.unshift(first);
    if (head.length > 0) client.unshift(head);
    join(client, socket);
  });
  inside.on("response", (answer) => {
    const headers = [...passedOn(answer.rawHeaders, false), CLOSE];
    client.write(headOf(answer.statusCode ?? 502, answer.statusMessage ?? "", headers), "latin1");
    answer.on("error", () => client.destroy());
    answer.pipe(client);
  });
  inside.on("error", () => client.destroy());
  client.on("close", () => inside.destroy());
  inside.end();
}

const CLOSE: [string, string] = ["Connection", "close"];

function headOf(status: number, text: string, headers: [string, string][]): string {
  return `HTTP/1.1 ${status} ${text}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}
