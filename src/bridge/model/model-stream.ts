import type { Tokens } from "../../usage/access.ts";
import { APIS, DONE } from "./api.ts";
import { EventReader } from "./event-reader.ts";
import { Scrubber } from "./scrub.ts";
import type { ModelTarget } from "../../config/providers.ts";

/** How a stream begins. Until "content", another provider can be asked instead. */
export type Beginning = "content" | "error" | "garbage" | "dropped";

/** How it ended: all of it, cut off by the provider, or because nobody listens any more. */
export type Ending = "complete" | "broken" | "cancelled";

/** Whatever has come is read at once up to this: a fast provider's pieces do not cost one turn each. */
const READ_BYTES = 65_536;
/** Without one event in so many bytes it is no event stream. */
const MOST_NOISE = 65_536;

/**
 * A provider's event stream. Its beginning is held until there is something for the user in it; from then on every
 * piece is passed on as it comes and none is read before it is asked for.
 */
export class ModelStream {
  readonly usage: Tokens = { input: 0, cached: 0, output: 0 };
  /** The provider said something that is not yet an answer. */
  alive = false;
  readonly #api;
  readonly #reader: ReadableStreamBYOBReader;
  /** Read into again and again. */
  #buffer = new ArrayBuffer(READ_BYTES);
  readonly #scrubber: Scrubber;
  readonly #events = new EventReader();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #said = false;
  #ended = false;
  #error = false;
  #garbage = false;

  constructor(body: ReadableStream<Uint8Array>, api: ModelTarget["api"], secrets: readonly string[]) {
    this.#api = APIS[api];
    this.#reader = body.getReader({ mode: "byob" });
    this.#scrubber = new Scrubber(secrets);
  }

  /** Reads until it is known how the stream begins. Never throws. */
  async begin(): Promise<Beginning> {
    for (;;) {
      const piece = await this.#next();
      if (piece === undefined) return "dropped";
      this.#held.push(piece);
      this.#heldBytes += piece.byteLength;
      if (this.#said) return "content";
      if (this.#error) return "error";
      if (this.#garbage || this.#ended) return "garbage";
      if (!this.alive && this.#heldBytes > MOST_NOISE) return "garbage";
    }
  }

  /** The stream from its first byte, once it has begun. `ended` is called exactly once, and waited for. */
  rest(ended: (ending: Ending) => Promise<void>): ReadableStream<Uint8Array> {
    let cancelled = false;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = this.#held.shift() ?? (await this.#next());
          if (cancelled) return;
          if (piece !== undefined) {
            controller.enqueue(piece);
            return;
          }
          await ended(this.#ended ? "complete" : "broken");
          // The gateway asks again after a break in the connection, but not after an error that is told.
          if (!this.#ended && !this.#error) controller.enqueue(new TextEncoder().encode(this.#api.errorEvent(BROKEN)));
          controller.close();
        },
        cancel: async (reason) => {
          // A piece that is being waited for now ends with nothing, which is not the provider's doing.
          cancelled = true;
          await Promise.all([this.cancel(reason), ended("cancelled")]);
        },
      },
      // Nothing is read ahead: how fast the provider may go on is up to the container.
      { highWaterMark: 0 },
    );
  }

  /** The provider stops at once: nobody pays for what nobody reads. */
  async cancel(reason?: unknown): Promise<void> {
    await this.#reader.cancel(reason).catch(() => undefined);
  }

  async #next(): Promise<Uint8Array | undefined> {
    // A piece may be held back whole, as the possible beginning of a secret.
    for (;;) {
      const read = await this.#reader.read(new Uint8Array(this.#buffer)).catch(() => undefined);
      if (read === undefined || read.done) {
        const { bytes } = this.#scrubber.end();
        return bytes.byteLength === 0 ? undefined : bytes;
      }
      this.#buffer = read.value.buffer;
      const { bytes, text } = this.#scrubber.push(read.value.slice());
      for (const data of this.#events.push(text)) this.#look(data);
      if (bytes.byteLength > 0) return bytes;
    }
  }

  #look(data: string): void {
    if (data === DONE) {
      this.#ended = true;
      return;
    }
    const event = jsonObject(data);
    if (!event) {
      this.#garbage = true;
      return;
    }
    Object.assign(this.usage, this.#api.usage(event));
    switch (this.#api.sign(event)) {
      case "alive":
        this.alive = true;
        return;
      case "content":
        this.#said = true;
        return;
      case "end":
        this.#said = true;
        this.#ended = true;
        return;
      case "error":
        this.#error = true;
    }
  }
}

const BROKEN = "The model's answer broke off.";

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
