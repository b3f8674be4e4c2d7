import type { RpcTransport } from "capnweb";
import type { WebSocket } from "ws";

/** A capnweb session over one WebSocket of `ws`. Messages are text; anything else ends the session. */
export function socketTransport(socket: WebSocket): RpcTransport {
  const received: string[] = [];
  let waiting: { resolve: (message: string) => void; reject: (error: Error) => void } | undefined;
  let failed: Error | undefined;
  const fail = (error: Error) => {
    failed ??= error;
    waiting?.reject(failed);
    waiting = undefined;
  };
  socket.on("message", (data, isBinary) => {
    if (isBinary || !Buffer.isBuffer(data)) return socket.close(1003, "Only text messages are understood");
    const message = data.toString("utf8");
    if (waiting === undefined) {
      received.push(message);
      return;
    }
    waiting.resolve(message);
    waiting = undefined;
  });
  socket.on("close", (code, reason) => fail(new Error(`Peer closed WebSocket: ${code} ${reason.toString()}`)));
  socket.on("error", fail);
  return {
    async send(message) {
      socket.send(message);
    },
    async receive() {
      const next = received.shift();
      if (next !== undefined) return next;
      if (failed !== undefined) throw failed;
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
      });
    },
    abort(reason: unknown) {
      const error = reason instanceof Error ? reason : new Error(String(reason));
      fail(error);
      // A close reason may have 123 bytes at most.
      socket.close(3000, Buffer.from(error.message).subarray(0, 120).toString("utf8"));
    },
  };
}
