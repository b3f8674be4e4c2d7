/**
 * How the container host and the server inside a jail talk. A jail has no network, so there are these ways only:
 *
 * - the server's stdin: one JSON `Order` per line, host to jail. Its end means that the host is gone.
 * - unix sockets the host listens on, in a directory mounted read-only. The jail dials, the host never does: a path
 *   that the jail could replace by a link is thus never followed outside. On `link` every connection opens with one
 *   line that says what it is (see `Greeting`); all else is raw bytes.
 */

/** Where the directory of sockets is mounted inside. */
export const SOCKET_DIRECTORY = "/run/moltbot";

/** What each socket leads to: this server's own link with the host, the Worker, the internet. */
export type SocketName = "link" | "bridge" | "egress";

export function socketFile(name: SocketName): string {
  return `${name}.sock`;
}

/** The container server's port: the SDK's, which no user process may take. */
export const SERVER_PORT = 3000;
/** Loopback ports inside the jail that lead to the Worker, and to the internet through the egress proxy. */
export const BRIDGE_PORT = 8790;
export const EGRESS_PORT = 8791;

/** How long a stopping container may take before it is killed. The server inside stops its processes earlier than that. */
export const STOP_GRACE_MS = 20_000;

export type Order =
  /** Connect to `port` inside, then dial the link as the stream numbered `id`. */
  { type: "open"; id: number; port: number } | { type: "stop" };

/** The first line on `link`: `ready`, or `stream <id> ok`, or `stream <id> <errno>`. */
export type Greeting = { type: "ready" } | { type: "stream"; id: number; result: string };

export const LONGEST_GREETING = 64;

export function parseGreeting(line: string): Greeting | undefined {
  if (line === "ready") return { type: "ready" };
  const [, id, result] = /^stream (\d{1,15}) ([A-Za-z_]+)$/.exec(line) ?? [];
  return id === undefined || result === undefined ? undefined : { type: "stream", id: Number(id), result };
}

/** `undefined` for anything that is not an order: a line that makes no sense is not obeyed. */
export function parseOrder(line: string): Order | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  if (value.type === "stop") return { type: "stop" };
  if (value.type !== "open" || !("id" in value) || !("port" in value)) return undefined;
  const { id, port } = value;
  return typeof id === "number" && typeof port === "number" ? { type: "open", id, port } : undefined;
}
