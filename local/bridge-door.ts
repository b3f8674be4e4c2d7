import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";

/** What a sandbox may ask of the Worker. */
const ALLOWED = "/bridge/";

export interface BridgeDoor {
  port: number;
  close(): Promise<void>;
}

/**
 * Stands between the sandboxes and the Worker's port and lets nothing through but the bridge: on that port are also
 * sign-in, the MCP endpoint and the development server's own pages, and the agent has no business at any of them.
 */
export async function openBridgeDoor(workerPort: number): Promise<BridgeDoor> {
  const server = createServer((request, response) => {
    // Parsed as the Worker will parse it, so that no dots or escapes lead elsewhere.
    const url = URL.parse(request.url ?? "", "http://localhost");
    if (!url?.pathname.startsWith(ALLOWED)) {
      response.writeHead(404).end("Only the bridge can be reached from here.\n");
      return;
    }
    const onward = httpRequest(
      {
        host: "127.0.0.1",
        port: workerPort,
        method: request.method,
        path: url.pathname + url.search,
        headers: { ...request.headers, host: `localhost:${workerPort}` },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end("The Worker does not answer.\n");
    });
    // Both ends go together: a call that nobody waits for is not finished at the provider's price.
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The bridge's door has no port.");
  return {
    port: address.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
