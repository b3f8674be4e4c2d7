import type { BrowserWorker } from "@cloudflare/puppeteer";
import { z } from "zod";
import { acquire, release } from "./binding.ts";
import { IDLE_MS } from "./limits.ts";
import { Live, type TabNames } from "./live.ts";
import type { UrlPolicy } from "./policy.ts";
import { type BrowserSecrets, hiding } from "./secrets.ts";

/** What is kept of a session, so that another isolate can go on with it. */
const keptSchema = z.object({
  sessionId: z.string(),
  started: z.number(),
  names: z.record(z.string(), z.string()),
  active: z.string().optional(),
});
type Kept = z.output<typeof keptSchema>;

const KEPT = "session";

interface SessionSetup {
  binding: BrowserWorker;
  policy: UrlPolicy;
  secrets: BrowserSecrets;
  /** How long nobody may use it before it is closed. Milliseconds. */
  idleMs?: number;
}

/** One browser of the platform: opened when it is needed, found again by another isolate, closed when nobody uses it. */
export class Session {
  readonly #storage: DurableObjectStorage;
  readonly #setup: () => SessionSetup;
  #live: Live | undefined;
  #opening: Promise<Live> | undefined;
  #lastUsed = 0;

  constructor(storage: DurableObjectStorage, setup: () => SessionSetup) {
    this.#storage = storage;
    this.#setup = setup;
  }

  /** Whether there is a connection to a browser that has not ended. */
  get open(): boolean {
    return this.#live?.browser.connected ?? false;
  }

  /** The browser, opened when there is none; whoever asks meanwhile waits for the same. */
  async connected(): Promise<Live> {
    if (this.#live?.browser.connected) return this.#live;
    this.#live = undefined;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return await this.#opening;
  }

  /** What is known of the session without speaking to its browser. */
  async kept(): Promise<Kept | undefined> {
    return keptSchema.optional().parse(await this.#storage.get(KEPT));
  }

  /** Milliseconds until it is closed; an open session counts from its start when nobody has used it yet. */
  idleLeft(started = 0): number {
    return Math.max(this.#lastUsed, started) + this.#idleMs() - Date.now();
  }

  /** Remembers the tabs, and that it was used. */
  async keep(live: Live): Promise<void> {
    this.#lastUsed = Date.now();
    const kept = await this.kept();
    if (!kept || this.#live !== live) return;
    const active = live.active?.id;
    if (active !== kept.active || Object.keys(live.names).length !== Object.keys(kept.names).length) {
      await this.#storage.put(KEPT, { ...kept, names: live.names, ...(active === undefined ? {} : { active }) });
    }
    await this.#storage.setAlarm(this.#lastUsed + this.#idleMs());
  }

  async close(): Promise<void> {
    // One that is just being opened is closed too.
    await this.#opening?.catch(() => undefined);
    const kept = await this.kept();
    const live = this.#live;
    this.#live = undefined;
    await this.#storage.deleteAlarm();
    if (kept) await release(this.#setup().binding, kept.sessionId);
    await this.#storage.delete(KEPT);
    await live?.browser.disconnect().catch(() => undefined);
  }

  async #open(): Promise<Live> {
    const { binding, policy, secrets } = this.#setup();
    const hide = hiding(secrets);
    const kept = await this.kept();
    if (kept) {
      const { sessionId, names, active } = kept;
      // A browser of before that cannot be reached is ended: an open one costs.
      const again = await Live.open({ binding, sessionId, names, active, policy, hide }).catch(() => undefined);
      if (again) return (this.#live = again);
      await release(binding, sessionId).catch(() => undefined);
    }
    const sessionId = await acquire(binding);
    const names: TabNames = {};
    const fresh: Kept = { sessionId, started: Date.now(), names };
    await this.#storage.put(KEPT, fresh);
    await this.#storage.setAlarm(Date.now() + this.#idleMs());
    const live = await Live.open({ binding, sessionId, names, active: undefined, policy, hide });
    if (kept) live.active?.note("The browser of before had ended; this is a new one.");
    return (this.#live = live);
  }

  #idleMs(): number {
    return this.#setup().idleMs ?? IDLE_MS;
  }
}
