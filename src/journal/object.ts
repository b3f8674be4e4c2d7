import { DurableObject } from "cloudflare:workers";
import type { JournalEntry } from "../core/journal.ts";
import { type Reply, reply } from "../core/reply.ts";
import type { JournalAccess, JournalLimits, JournalPage, JournalQuery } from "./access.ts";
import { clean } from "./clean.ts";
import { JournalStore } from "./store.ts";

/** Old entries go some at a time: an alarm for each would keep the object awake. The part of the age they may be late. */
const SLACK = 0.01;

/** Keeps what was done through the Worker, bounded by age and number. */
export abstract class JournalObject<Env> extends DurableObject<Env> implements JournalAccess {
  readonly #store = new JournalStore(this.ctx.storage.sql);
  /** In this life of the object; the alarm itself outlives it. */
  #alarmed = false;

  protected abstract limits(): JournalLimits;

  async record(entries: readonly JournalEntry[]): Promise<void> {
    const { entries: most, keepMs } = this.limits();
    for (const entry of entries) this.#store.dropUpTo(this.#store.add(clean(entry)) - most);
    if (this.#alarmed) return;
    this.#alarmed = true;
    if ((await this.ctx.storage.getAlarm()) === null) await this.#wakeWhenOld(Date.now(), keepMs);
  }

  read(query: JournalQuery): Promise<Reply<JournalPage>> {
    return reply("journal.read", () => this.#store.read(query, Date.now() - this.limits().keepMs));
  }

  override async alarm(): Promise<void> {
    const { keepMs } = this.limits();
    const oldest = this.#store.dropBefore(Date.now() - keepMs);
    this.#alarmed = oldest !== undefined;
    if (oldest !== undefined) await this.#wakeWhenOld(oldest, keepMs);
  }

  async #wakeWhenOld(at: number, keepMs: number): Promise<void> {
    await this.ctx.storage.setAlarm(at + Math.ceil(keepMs * (1 + SLACK)) + 1);
  }
}
