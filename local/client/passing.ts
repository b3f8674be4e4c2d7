import { megabytes } from "./generations.ts";

/** Between two lines on what is no terminal. Milliseconds. */
const LINE_EVERY_MS = 5_000;
const REDRAW_EVERY_MS = 200;

/** A stream that says on stderr how much has passed through it. `total` in bytes, where it is known. */
export function passing(what: string, total?: number): TransformStream<Uint8Array, Uint8Array> {
  const live = process.stderr.isTTY;
  const of = total === undefined ? "" : ` of ${megabytes(total)}`;
  let bytes = 0;
  let shownAt = live ? 0 : performance.now();
  const show = (end: string) => process.stderr.write(`${live ? "\r" : ""}· ${what} … ${megabytes(bytes)}${of}${end}`);
  return new TransformStream({
    transform(part, controller) {
      bytes += part.byteLength;
      if (performance.now() - shownAt > (live ? REDRAW_EVERY_MS : LINE_EVERY_MS)) {
        shownAt = performance.now();
        show(live ? "" : "\n");
      }
      controller.enqueue(part);
    },
    flush: () => void show("\n"),
  });
}
