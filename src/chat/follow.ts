import type { ChatEvent } from "./event.ts";

export interface Followed {
  read(cursor: number): ChatEvent[];
  /** Undefined when nothing will come any more. */
  changed(): Promise<void> | undefined;
}

/**
 * NDJSON of a run's events from the cursor on. Pulled by the reader, so a slow one holds nothing in memory and
 * one that leaves is forgotten. `last` answers a cursor at or beyond the end: whoever follows learns how it ended.
 */
export function followRun(
  log: Followed,
  cursor: number,
  last: () => ChatEvent | undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let at = cursor;
  let gone = false;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      let events = log.read(at);
      while (events.length === 0) {
        const end = last();
        if (end) {
          events = [end];
          break;
        }
        const change = log.changed();
        if (change === undefined) {
          // The run was forgotten while it was read.
          controller.close();
          return;
        }
        await change;
        if (gone) return;
        events = log.read(at);
      }
      controller.enqueue(encoder.encode(events.map((event) => `${JSON.stringify(event)}\n`).join("")));
      const newest = events.at(-1);
      at = newest?.cursor ?? at;
      if (newest?.type === "end") controller.close();
    },
    cancel() {
      gone = true;
    },
  });
}
