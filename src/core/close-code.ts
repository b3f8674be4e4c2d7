/** Codes that a peer may be told; the others of this range are for what happened without a close frame (RFC 6455 §7.4). */
const SAYABLE = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);
const LONGEST_REASON_BYTES = 123;

export interface Closing {
  code: number;
  reason: string;
}

/** What may be sent to say the same. 1005, closed without a code, is in order; all else that cannot be said was a break. */
export function legalClosing({ code, reason }: Closing): Closing {
  const sayable = SAYABLE.has(code) || (code >= 3000 && code <= 4999);
  const fits = new TextEncoder().encode(reason).byteLength <= LONGEST_REASON_BYTES;
  return { code: sayable ? code : code === 1005 ? 1000 : 1011, reason: fits ? reason : "" };
}

/** Closes `socket` as its counterpart was closed, in terms that may be sent. Closing one twice is no error. */
export function closeAs(socket: WebSocket, event: Closing): void {
  const { code, reason } = legalClosing(event);
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}
