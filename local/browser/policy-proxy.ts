import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createEgressProxy } from "../container/egress.ts";

/** The name server and the network behind the proxy, the machine's own when left out. */
export type ProxyNetwork = Pick<Parameters<typeof createEgressProxy>[0], "resolve" | "dial">;

export interface PolicyProxy {
  port: number;
  close(): Promise<void>;
}

/**
 * The browser's only way out: it resolves, checks and dials by itself, so neither a redirect, a popup, a WebSocket nor
 * a name server that changes its mind leads to a private address. `privateHosts` are the exceptions.
 */
export async function openPolicyProxy(options: {
  /** `host` or `host:port` as it stands in a URL. */
  privateHosts: readonly string[];
  log: (line: string) => void;
  network?: ProxyNetwork | undefined;
}): Promise<PolicyProxy> {
  const serve = createEgressProxy({
    ...options.network,
    privateHosts: options.privateHosts,
    log: (line) => options.log(`browser: ${line}`),
  });
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The browser's proxy has no port.");
  return {
    port: address.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
