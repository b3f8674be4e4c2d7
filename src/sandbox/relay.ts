import { closeAs, type Closing } from "../core/close-code.ts";

export type Frame = string | ArrayBuffer;

export interface Relay {
  /** The person's side, not yet accepted. */
  person: WebSocket;
  /** The container's side, not yet accepted. */
  container: WebSocket;
  /** What goes to the container for a frame of the person's. */
  fromPerson: (frame: Frame) => Frame;
  /** Sees each frame of the container's; it goes on as it came. */
  fromContainer: (frame: Frame) => void;
  /** Once, when both have ended. */
  onEnd: (closing: Closing) => void;
}

/** The longest frame either side may send, in bytes: the gateway's own limit. */
const MOST_FRAME_BYTES = 25 * 1024 * 1024;
/**
 * What a side that does not read can pile up in this object's memory. workerd does not say how much of what was sent is
 * still waiting, so the rate is bounded: so many bytes at once, and so many more each second.
 */
const BURST_BYTES = 32 * 1024 * 1024;
const BYTES_A_SECOND = 1024 * 1024;

/** Couples two sockets frame by frame: what one says the other hears, and both end together, each legally. */
export function relay({ person, container, fromPerson, fromContainer, onEnd }: Relay): void {
  let ended = false;
  const end = (closing: Closing) => {
    if (ended) return;
    ended = true;
    closeAs(person, closing);
    closeAs(container, closing);
    onEnd(closing);
  };
  const couple = (from: WebSocket, to: WebSocket, change: (frame: Frame) => Frame) => {
    const within = allowance();
    from.addEventListener("message", ({ data }) => {
      if (ended) return;
      const frame: Frame = data;
      const bytes = sizeOf(frame);
      if (bytes > MOST_FRAME_BYTES) return end({ code: 1009, reason: "The message is too long." });
      if (!within(bytes, Date.now())) return end({ code: 1013, reason: "Too much at once." });
      to.send(change(frame));
    });
    from.addEventListener("close", (event) => end(event));
    from.addEventListener("error", () => end({ code: 1011, reason: "The connection broke." }));
  };
  couple(person, container, fromPerson);
  couple(container, person, (frame) => {
    fromContainer(frame);
    return frame;
  });
  for (const socket of [person, container]) {
    // Not as a Blob, which would have to be read first.
    socket.binaryType = "arraybuffer";
    socket.accept();
  }
}

/** Text counts by its characters: no more than the bytes, and three times less at worst. */
function sizeOf(frame: Frame): number {
  return typeof frame === "string" ? frame.length : frame.byteLength;
}

function allowance(): (bytes: number, now: number) => boolean {
  let left = BURST_BYTES;
  let at = 0;
  return (bytes, now) => {
    left = Math.min(BURST_BYTES, left + ((now - at) / 1000) * BYTES_A_SECOND);
    at = now;
    left -= bytes;
    return left >= 0;
  };
}
