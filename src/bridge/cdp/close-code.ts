/** Codes that a peer may be told; the others of this range are for what happened without a close frame. */
const SAYABLE = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);
const LONGEST_REASON_BYTES = 123;

/** Closes `socket` as its counterpart was closed, in terms that may be sent. Closing one twice is no error. */
export function closeAs(socket: WebSocket, event: { code: number; reason: string }): void {
  const sayable = SAYABLE.has(event.code) || (event.code >= 3000 && event.code <= 4999);
  // 1005: closed without a code, which is in order. All else that cannot be said was a break.
  const code = sayable ? event.code : event.code === 1005 ? 1000 : 1011;
  const reason = new TextEncoder().encode(event.reason).byteLength <= LONGEST_REASON_BYTES ? event.reason : "";
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}
