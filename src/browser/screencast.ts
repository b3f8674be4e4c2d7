import type { CDPSession } from "@cloudflare/puppeteer";
import { pause } from "../core/deadline.ts";
import type { Tab } from "./tab.ts";

const PICTURES = { format: "jpeg", quality: 60, maxWidth: 1280, maxHeight: 1280 } as const;
/** A page that is still moving has drawn again by then. Milliseconds. */
const STILL_MS = 200;

/** Chrome's pictures of one tab, one at each change. While nobody takes them it makes no more. */
export class Screencast {
  readonly #session: Promise<CDPSession | undefined>;
  readonly #onPicture: () => void;
  #newest: string | undefined;
  /** By number, what was not acknowledged yet. */
  #held: number[] = [];
  /** When the newest came, 0 after a start. Milliseconds since 1970. */
  #cameAt = 0;
  /** Whether pictures came close together since the start. */
  #moving = false;
  #stopped = false;

  constructor(tab: Tab, onPicture: () => void) {
    this.#onPicture = onPicture;
    // Of a tab that has just been closed there are no pictures.
    this.#session = this.#begin(tab).catch(() => undefined);
  }

  async #begin(tab: Tab): Promise<CDPSession> {
    const session = await tab.page.createCDPSession();
    session.on("Page.screencastFrame", ({ data, sessionId }) => {
      this.#newest = data;
      this.#held.push(sessionId);
      const now = Date.now();
      this.#moving ||= now - this.#cameAt < STILL_MS;
      this.#cameAt = now;
      this.#onPicture();
    });
    start(session);
    return session;
  }

  /** The newest picture, if there is one that was not taken yet: a JPEG. */
  take(): Uint8Array | undefined {
    if (this.#newest === undefined) return undefined;
    const jpeg = Uint8Array.fromBase64(this.#newest);
    this.#newest = undefined;
    const held = this.#held;
    this.#held = [];
    void this.#acknowledge(held);
    return jpeg;
  }

  async #acknowledge(held: readonly number[]): Promise<void> {
    const session = await this.#session;
    if (!session) return;
    for (const sessionId of held) tell(session, "Page.screencastFrameAck", { sessionId });
    if (!this.#moving) return;
    // Chrome has three on the way at most, and what is drawn meanwhile it never sends. How a page that moved came to rest may
    // have been among that, so a new start shows it as it is.
    await pause(STILL_MS);
    if (this.#stopped || this.#held.length > 0 || !this.#moving) return;
    this.#moving = false;
    this.#cameAt = 0;
    tell(session, "Page.stopScreencast");
    start(session);
  }

  /** Ends it. Does not wait for the page, which may have a dialog open. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const session = await this.#session;
    if (!session) return;
    tell(session, "Page.stopScreencast");
    // One whose tab was closed is detached already.
    await session.detach().catch(() => undefined);
  }
}

function start(session: CDPSession): void {
  tell(session, "Page.startScreencast", PICTURES);
}

/** Says it and waits for nothing: a page with an open dialog answers when that is closed, one that is gone never. */
function tell<M extends Parameters<CDPSession["send"]>[0]>(
  session: CDPSession,
  method: M,
  params?: Parameters<typeof session.send<M>>[1],
): void {
  session.send(method, params).catch(() => undefined);
}
