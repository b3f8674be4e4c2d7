import type { Duplex } from "node:stream";

/**
 * Pipes two sockets into each other, both ways, with backpressure. One side's end reaches the other as an end, so
 * half-closed connections work; one side's death destroys the other. Both must have been made with `allowHalfOpen`.
 */
export function join(one: Duplex, other: Duplex): void {
  couple(one, other);
  couple(other, one);
  // A side that died while the caller was still waiting for the other has sent its events already.
  if (one.destroyed) other.destroy();
  if (other.destroyed) one.destroy();
}

function couple(from: Duplex, to: Duplex): void {
  from.on("error", () => to.destroy());
  from.on("close", () => {
    // After a clean end `to` may still have bytes to send; without one it would never see an end.
    if (!from.readableEnded) to.destroy();
  });
  from.pipe(to);
}

/**
 * Reads the first line and leaves the rest in the socket. Resolves `undefined` when the socket ends first or the line
 * is longer than `limit`. The socket is paused afterwards; `join` makes it flow again.
 */
export function readFirstLine(socket: Duplex, limit: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const finish = (line: string | undefined) => {
      socket.off("readable", onReadable);
      socket.off("end", onGone);
      socket.off("close", onGone);
      resolve(line);
    };
    const onGone = () => finish(undefined);
    const onReadable = () => {
      for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) {
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf("\n");
        if (end > limit || (end === -1 && seen.length > limit)) return finish(undefined);
        if (end === -1) continue;
        const rest = seen.subarray(end + 1);
        if (rest.length > 0) socket.unshift(rest);
        return finish(seen.subarray(0, end).toString("utf8"));
      }
    };
    socket.on("readable", onReadable);
    socket.on("end", onGone);
    socket.on("close", onGone);
  });
}
