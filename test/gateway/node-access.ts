import type { GatewayAccess } from "../../src/gateway/access.ts";
import type { LiveGateway } from "./live-gateway.ts";

/** The gateway as a Node process reaches it; `host` other than loopback makes it a stranger. */
export function nodeAccess(gateway: Pick<LiveGateway, "port" | "token" | "ready">, host = "127.0.0.1"): GatewayAccess {
  return {
    async ready() {
      await gateway.ready();
      return { token: gateway.token };
    },
    socket() {
      const socket = new WebSocket(`ws://${host}:${gateway.port}/`);
      return new Promise((resolve, reject) => {
        socket.addEventListener("open", () => resolve(socket), { once: true });
        socket.addEventListener("error", () => reject(new Error("No connection.")), { once: true });
      });
    },
    fetch: (path, init) => fetch(`http://${host}:${gateway.port}${path}`, init),
  };
}
