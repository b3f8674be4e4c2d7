const encoder = new TextEncoder();

/** Unread bytes after which a producer that can be held should be held. */
const HOLD_AT_BYTES = 1024 * 1024;
/** Unread bytes after which a stream whose producer cannot be held is given up: its reader is too slow, or gone. */
const GIVE_UP_AT_BYTES = 16 * 1024 * 1024;

export type ServerEvent = Record<string, unknown> & { type: string };

/** One server-sent event, in the form the SDK's parsers read. `named` adds the `event:` line of the real executeStream. */
export function encodeEvent(event: ServerEvent, named = false): Uint8Array {
  return encoder.encode(`${named ? `event: ${event.type}\n` : ""}data: ${JSON.stringify(event)}\n\n`);
}

export interface EventStream {
  readonly stream: ReadableStream<Uint8Array>;
  /** Sends one server-sent event. Does nothing once the stream is closed. */
  send(event: ServerEvent): void;
  close(): void;
  /** True while the reader is so far behind that the producer should pause; `onDrain` is called when it caught up. */
  readonly full: boolean;
}

/**
 * A stream of server-sent events for a producer that has its own pace. `onEnd` runs once, however the stream ends;
 * `onDrain` whenever the reader asks for more.
 */
export function eventStream(options: { named?: boolean; onEnd?: () => void; onDrain?: () => void }): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const end = (): ReadableStreamDefaultController<Uint8Array> | undefined => {
    const open = controller;
    controller = undefined;
    if (open !== undefined) options.onEnd?.();
    return open;
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (started) => {
        controller = started;
      },
      pull: () => options.onDrain?.(),
      cancel: () => {
        end();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HOLD_AT_BYTES }),
  );
  const encode = (event: ServerEvent) => encodeEvent(event, options.named);
  return {
    stream,
    send(event) {
      if (controller === undefined) return;
      if ((controller.desiredSize ?? 0) < -GIVE_UP_AT_BYTES) {
        const lagging = end();
        lagging?.enqueue(encode({ type: "error", error: "The reader is too slow: events were dropped" }));
        lagging?.close();
        return;
      }
      controller.enqueue(encode(event));
    },
    close() {
      end()?.close();
    },
    get full() {
      return controller !== undefined && (controller.desiredSize ?? 1) <= 0;
    },
  };
}
