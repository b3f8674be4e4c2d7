import { DurableObject } from "cloudflare:workers";
import { type Reply, reply } from "../core/reply.ts";
import type { DayTotal, UsageAccess, UsageEntry, UsageSummary } from "./access.ts";
import { dayOf, UsageStore } from "./store.ts";

/** Counts what models cost, for all isolates. */
export class UsageObject<Env> extends DurableObject<Env> implements UsageAccess {
  readonly #store = new UsageStore(this.ctx.storage.sql);

  record(entry: UsageEntry): Promise<Reply<DayTotal>> {
    return reply("usage.record", () => {
      this.#store.add(entry);
      return this.#store.day(dayOf(entry.at));
    });
  }

  today(): Promise<Reply<DayTotal>> {
    return reply("usage.today", () => this.#store.day(dayOf(Date.now())));
  }

  summary(days: number): Promise<Reply<UsageSummary>> {
    return reply("usage.summary", () => this.#store.summary(Date.now(), days));
  }
}
