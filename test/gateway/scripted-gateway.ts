import { WebSocketServer, type WebSocket } from "ws";

export interface Exchange {
  /** Sends a frame, or any text as it is. */
  send: (frame: Record<string, unknown> | string) => void;
  socket: WebSocket;
}

/**
 * A WebSocket server that does what the real gateway cannot be made to: `onRequest` gets each request.
 * It greets with a challenge, unless told to stay silent.
 */
export async function scriptedGateway(
  onRequest: (request: { id: string; method: string; params: unknown }, exchange: Exchange) => void,
  options: { silent?: boolean } = {},
) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const closes: number[] = [];
  server.on("connection", (socket) => {
    const exchange: Exchange = {
      socket,
      send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    };
    socket.on("message", (data: Buffer) => onRequest(JSON.parse(data.toString("utf8")), exchange));
    socket.on("close", (code) => closes.push(code));
    if (!options.silent) exchange.send({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port.");
  return {
    port: address.port,
    token: "token",
    ready: () => Promise.resolve(),
    /** Close codes the client has sent. */
    closes,
    sockets: () => server.clients.size,
    close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

/** The hello of a gateway that ticks every `tick` ms. */
export function helloOk(id: string, options: { boot?: string; tick?: number; scopes?: readonly string[] } = {}) {
  return {
    type: "res",
    id,
    ok: true,
    payload: {
      type: "hello-ok",
      protocol: 4,
      server: { version: "0.0.0", bootId: options.boot ?? "boot" },
      auth: { scopes: options.scopes ?? ["operator.read", "operator.write", "operator.approvals"] },
      policy: { maxPayload: 100_000, tickIntervalMs: options.tick ?? 30_000 },
    },
  };
}
