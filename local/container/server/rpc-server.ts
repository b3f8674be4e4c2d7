import { RpcSession } from "capnweb";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import type { SandboxApi } from "./api.ts";
import { sizeOf, Terminals } from "./terminals.ts";
import { socketTransport } from "./transport.ts";
import { SERVER_PORT } from "./wire.ts";

/** Base64 of the largest encoded file, and room for the message around it. */
const MESSAGE_LIMIT = 64 * 1024 * 1024;

/** Serves the api on the container server's port: capnweb on `/rpc`, terminals on `/ws/pty`, and an answer to anything else (liveness). */
export function serveApi(api: SandboxApi): Promise<void> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_LIMIT, perMessageDeflate: false });
  const terminals = new Terminals();
  const server = createServer((_request, response) => response.end("ok\n"));
  server.on("upgrade", (request, socket, head) => {
    const url = URL.parse(request.url ?? "", "http://localhost");
    switch (url?.pathname) {
      case "/rpc":
        return sockets.handleUpgrade(request, socket, head, (webSocket) => {
          // The session holds on to its socket, and ends with it.
          void new RpcSession(socketTransport(webSocket), api);
        });
      case "/ws/pty": {
        const asked = url.searchParams;
        const id = asked.get("sessionId") ?? "";
        const size = sizeOf(asked.get("cols") ?? 80, asked.get("rows") ?? 24);
        if (id === "" || size === undefined) return socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        return sockets.handleUpgrade(request, socket, head, (webSocket) => terminals.connect(webSocket, id, size));
      }
      case undefined:
      default:
        return socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(SERVER_PORT, "127.0.0.1", resolve);
  });
}
