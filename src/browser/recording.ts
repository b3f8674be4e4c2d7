import { Failure } from "../core/failure.ts";
import type { Picture } from "./access.ts";
import { MOST_IMAGE_BYTES } from "./limits.ts";
import type { Tab } from "./tab.ts";
import { animated, sizeOf, type StillFrame } from "./webp.ts";
import { factsOf } from "./frame-facts.ts";

/** A longer one is not begun for: what is filmed is steps, not films. */
const MOST_MS = 120_000;
const QUALITY = 40;
const LAST_MS = 2_000;

interface Shot {
  data: string;
  at: number;
}

/**
 * Films one tab while other calls work on it: a picture at each beat, kept only when it differs from the one before.
 * It becomes an animated WebP in the Worker, so the container need not be awake for it, and clients show it as a picture.
 */
export class Recording {
  readonly #tab: Tab;
  readonly #everyMs: number;
  readonly #width: number;
  readonly #shots: Shot[] = [];
  readonly #began = Date.now();
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #bytes = 0;

  constructor(tab: Tab, options: { fps: number; width: number }) {
    this.#tab = tab;
    this.#everyMs = 1000 / options.fps;
    this.#width = options.width;
    this.#loop = this.#film();
  }

  get frames(): number {
    return this.#shots.length;
  }

  async #film(): Promise<void> {
    while (!this.#stop.signal.aborted && Date.now() - this.#began < MOST_MS) {
      const at = Date.now();
      try {
        await this.#shoot(at);
      } catch {
        // Between two documents, or at the end of the tab, there is nothing to see.
        if (this.#tab.page.isClosed()) return;
      }
      const left = this.#everyMs - (Date.now() - at);
      await new Promise((resolve) => setTimeout(resolve, Math.max(left, 10)));
    }
  }

  async #shoot(at: number): Promise<void> {
    const { client } = factsOf(this.#tab.page.mainFrame());
    const { width = 0, height = 0 } = this.#tab.page.viewport() ?? {};
    const { data } = await client.send("Page.captureScreenshot", {
      format: "webp",
      quality: QUALITY,
      clip: { x: 0, y: 0, width, height, scale: this.#width / width },
      captureBeyondViewport: false,
    });
    if (this.#shots.at(-1)?.data === data) return;
    this.#shots.push({ data, at });
    this.#bytes += data.length * 0.75;
    // Four times what may be sent: every second picture may go, twice.
    while (this.#bytes > 4 * MOST_IMAGE_BYTES) this.#thin();
  }

  /** Drops every second picture but the first and the last; the others stay longer. */
  #thin(): void {
    const kept = this.#shots.filter((_, index) => index % 2 === 0 || index === this.#shots.length - 1);
    this.#shots.splice(0, this.#shots.length, ...kept);
    this.#bytes = kept.reduce((sum, { data }) => sum + data.length * 0.75, 0);
  }

  /** Ends it and gives the film, made to fit by leaving pictures out. */
  async finish(): Promise<Picture> {
    this.#stop.abort();
    // How it ended is in it. A dialog holds up the picture that is being taken.
    const last = this.#loop.then(() => this.#shoot(Date.now())).catch(() => undefined);
    await Promise.race([last, new Promise((resolve) => setTimeout(resolve, LAST_MS))]);
    const ended = Date.now() + this.#everyMs;
    while (this.#shots.length > 2 && this.#bytes > 0.95 * MOST_IMAGE_BYTES) this.#thin();
    const stills = this.#shots.map(({ data, at }, index): StillFrame => ({
      webp: Uint8Array.fromBase64(data),
      ms: (this.#shots[index + 1]?.at ?? ended) - at,
    }));
    const first = stills[0];
    if (!first) throw new Failure("conflict", "Nothing was recorded: the page was not shown yet.");
    const { width, height } = sizeOf(first.webp);
    // A page whose window changed on the way has pictures that do not fit together.
    const fitting = stills.filter(({ webp }) => {
      const size = sizeOf(webp);
      return size.width === width && size.height === height;
    });
    const film = animated(fitting, width, height);
    return { data: film.toBase64(), mimeType: "image/webp", width, height, bytes: film.byteLength };
  }
}
