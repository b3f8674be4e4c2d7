import { pause } from "../core/deadline.ts";
import type { Live } from "./live.ts";
import { Screencast } from "./screencast.ts";
import type { Tab } from "./tab.ts";

/** As many pictures a second as a person needs to follow; each costs the browser, and the way to the viewer. */
const MOST_PER_SECOND = 10;
/** A page at rest is sent again after so long: that a viewer has gone is noticed only when something is sent. */
const REPEAT_MS = 2_000;
const HEAD = "--frame\r\ncontent-type: image/jpeg\r\n\r\n";

/**
 * The active tab as it changes, for an `<img>`: parts of `multipart/x-mixed-replace; boundary=frame`. A viewer that is
 * slow gets fewer pictures, not older ones. It ends when there is no tab left, or no browser.
 */
export function framesOf(live: Live): ReadableStream<Uint8Array> {
  const view = new View(live);
  let wanted = true;
  let last: Uint8Array | undefined;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const jpeg = await view.next();
      if (jpeg) {
        // Chrome shows a picture when the head of the next one has come.
        controller.enqueue(joined(last ? "" : HEAD, jpeg, `\r\n${HEAD}`));
        last = jpeg;
      } else if (wanted) {
        // The head that went ahead needs a picture too.
        if (last) controller.enqueue(joined("", last, "\r\n--frame--\r\n"));
        controller.close();
        // A read that brought its own buffer waits for it to be given back.
        controller.byobRequest?.respond(0);
      }
    },
    async cancel() {
      wanted = false;
      await view.end();
    },
  });
}

/** Goes with the active tab, and has its pictures one at a time. */
class View {
  readonly #live: Live;
  readonly #leave: () => void;
  #tab: Tab | undefined;
  #cast: Screencast | undefined;
  #news = Promise.withResolvers<void>();
  #last: Uint8Array | undefined;
  #taken = 0;
  #ended = false;

  constructor(live: Live) {
    this.#live = live;
    this.#leave = live.onChange(() => this.#follow());
    this.#follow();
  }

  /** The next picture, not before its time; undefined after the end. */
  async next(): Promise<Uint8Array | undefined> {
    while (!this.#ended) {
      const early = this.#taken + 1000 / MOST_PER_SECOND - Date.now();
      if (early > 0) await pause(early);
      const jpeg = this.#cast?.take() ?? (Date.now() >= this.#taken + REPEAT_MS ? this.#last : undefined);
      if (jpeg) {
        this.#taken = Date.now();
        this.#last = jpeg;
        return jpeg;
      }
      await this.#woken();
    }
    return undefined;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#leave();
    this.#wake();
    await this.#cast?.stop();
  }

  #follow(): void {
    const { active, browser } = this.#live;
    if (!active || !browser.connected) return void this.end();
    if (active === this.#tab) return;
    this.#tab = active;
    void this.#cast?.stop();
    this.#cast = new Screencast(active, () => this.#wake());
  }

  /** Waits for what there may be to send: a picture, the end, the time to repeat. */
  async #woken(): Promise<void> {
    if (this.#ended) return;
    const timer = setTimeout(() => this.#wake(), REPEAT_MS);
    await this.#news.promise;
    clearTimeout(timer);
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}

function joined(before: string, jpeg: Uint8Array, after: string): Uint8Array {
  const encoder = new TextEncoder();
  const [head, tail] = [encoder.encode(before), encoder.encode(after)];
  const bytes = new Uint8Array(head.byteLength + jpeg.byteLength + tail.byteLength);
  bytes.set(head);
  bytes.set(jpeg, head.byteLength);
  bytes.set(tail, head.byteLength + jpeg.byteLength);
  return bytes;
}
