import { connect, createServer, Socket } from "node:net";
import { errnoOf } from "./failure.ts";
import { join } from "./join.ts";
import { parseOrder, SOCKET_DIRECTORY, socketFile, type SocketName } from "./wire.ts";

function dialHost(name: SocketName): Socket {
  const host = connect({ path: `${SOCKET_DIRECTORY}/${socketFile(name)}`, allowHalfOpen: true });
  host.on("error", () => host.destroy());
  return host;
}

function greetHost(greeting: string): Socket {
  const host = dialHost("link");
  host.write(`${greeting}\n`);
  return host;
}

/** Tells the host that the server inside listens. */
export function announceReady(): void {
  greetHost("ready").end();
}

/** Carries every connection to a loopback port inside the jail to the host. */
export function forwardPort(port: number, name: "bridge" | "egress"): Promise<void> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
    join(client, dialHost(name)),
  );
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** Connects to a port inside the jail: by IPv4, or by IPv6 for a service that listens on `::1` only. */
async function connectInside(port: number): Promise<Socket> {
  const attempt = (host: string) =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
      socket.once("connect", () => resolve(socket));
      socket.on("error", reject);
    });
  return attempt("127.0.0.1").catch((error: unknown) => attempt("::1").catch(() => Promise.reject(error)));
}

async function open(id: number, port: number): Promise<void> {
  try {
    const inside = await connectInside(port);
    join(inside, greetHost(`stream ${id} ok`));
  } catch (error) {
    greetHost(`stream ${id} ${errnoOf(error) ?? "UNKNOWN"}`).end();
  }
}

/**
 * Obeys the host's orders, one JSON line each on stdin. `onStop` is called for the order to stop, `onLost` when the
 * host is gone.
 */
export function obeyHost(handlers: { onStop: () => void; onLost: () => void }): void {
  const orders = new Socket({ fd: 0, readable: true, writable: false });
  let rest = "";
  orders.setEncoding("utf8");
  orders.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const order = parseOrder(line);
      if (order?.type === "open") void open(order.id, order.port);
      if (order?.type === "stop") handlers.onStop();
    }
  });
  orders.on("error", handlers.onLost);
  orders.on("close", handlers.onLost);
}
