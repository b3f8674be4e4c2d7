import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { join } from "./container/server/join.ts";

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
  /** The request as the Worker gets it; undefined when it is not for the bridge. */
  function ask(request: IncomingMessage) {
    // Parsed as the Worker will parse it, so that no dots or escapes lead elsewhere.
    const url = URL.parse(request.url ?? "", "http://localhost");
    if (!url?.pathname.startsWith(ALLOWED)) return undefined;
    return httpRequest({
      host: "127.0.0.1",
      port: workerPort,
      method: request.method,
      path: url.pathname + url.search,
      headers: { ...request.headers, host: `localhost:${workerPort}` },
    });
  }

  /** Sockets that are the server's no longer. */
  const open = new Set<Duplex>();
  const server = createServer((request, response) => {
    const onward = ask(request);
    if (onward === undefined) {
      response.writeHead(404).end("Only the bridge can be reached from here.\n");
      return;
    }
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end("The Worker does not answer.\n");
    });
    // Both ends go together: a call that nobody waits for is not finished at the provider's price.
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  server.on("upgrade", (request, client, head) => {
    client.on("error", () => client.destroy());
    const onward = ask(request);
    if (onward === undefined) {
      client.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    open.add(client);
    client.on("close", () => open.delete(client));
    onward.on("upgrade", (answer, worker, early) => {
      client.write(headOf(answer));
      if (early.length > 0) worker.unshift(early);
      if (head.length > 0) client.unshift(head);
      join(client, worker);
    });
    onward.on("response", (answer) => {
      client.write(headOf(answer));
      answer.pipe(client);
    });
    onward.on("error", () => client.destroy());
    client.on("close", () => onward.destroy());
    onward.end();
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
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Status line and headers as they came. */
function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ""}`];
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    lines.push(`${answer.rawHeaders[at]}: ${answer.rawHeaders[at + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}
