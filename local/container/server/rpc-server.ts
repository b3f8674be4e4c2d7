import { RpcSession } from "capnweb";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import type { SandboxApi } from "./api.ts";
import { socketTransport } from "./transport.ts";
import { SERVER_PORT } from "./wire.ts";

/** Base64 of the largest encoded file, and room for the message around it. */
const MESSAGE_LIMIT = 64 * 1024 * 1024;

/** Serves the api on the container server's port: capnweb on `/rpc`, and an answer to anything else (liveness). */
export function serveApi(api: SandboxApi): Promise<void> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_LIMIT, perMessageDeflate: false });
  const server = createServer((_request, response) => response.end("ok\n"));
  server.on("upgrade", (request, socket, head) => {
    if (request.url !== "/rpc") return socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      // The session holds on to its socket, and ends with it.
      void new RpcSession(socketTransport(webSocket), api);
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(SERVER_PORT, "127.0.0.1", resolve);
  });
}
