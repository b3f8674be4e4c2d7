import { Failure } from "../core/failure.ts";
import { unwrap } from "../core/reply.ts";
import type { DayTotal, UsageAccess, UsageEntry } from "./access.ts";
import { dayOf } from "./store.ts";

export interface Caps {
  dailyTokens: number | undefined;
  dailyUsd: number | undefined;
}

/** The day's total as this isolate last heard it: each call that ends brings it up to date, so that no call waits for it. */
export interface KnownTotal {
  total: DayTotal | undefined;
  /** When it was heard, milliseconds since 1970. */
  at: number;
}

/** Another isolate may have spent meanwhile; older than this, the total is asked for again. */
const FRESH_MS = 60_000;

/** Whether models may still be asked today, and the count of what they cost. `known` lives as long as the isolate. */
export class Meter {
  readonly #usage: UsageAccess;
  readonly #caps: Caps;
  readonly #known: KnownTotal;

  constructor(usage: UsageAccess, caps: Caps, known: KnownTotal) {
    this.#usage = usage;
    this.#caps = caps;
    this.#known = known;
  }

  /** Throws Failure("limited") when the day's cap is reached. */
  async admit(now: number): Promise<void> {
    const { dailyTokens, dailyUsd } = this.#caps;
    if (dailyTokens === undefined && dailyUsd === undefined) return;
    const { tokens, usd } = await this.#today(now);
    if (dailyTokens !== undefined && tokens >= dailyTokens) {
      throw capped(`${tokens} of ${dailyTokens} tokens`, "MODEL_DAILY_TOKENS");
    }
    if (dailyUsd !== undefined && usd >= dailyUsd) {
      throw capped(`about $${usd.toFixed(2)} of $${dailyUsd.toFixed(2)}`, "MODEL_DAILY_USD");
    }
  }

  async record(entry: UsageEntry): Promise<void> {
    this.#hear(unwrap(await this.#usage.record(entry)), entry.at);
  }

  async #today(now: number): Promise<DayTotal> {
    const { total, at } = this.#known;
    if (total && total.day === dayOf(now) && now - at < FRESH_MS) return total;
    const heard = unwrap(await this.#usage.today());
    this.#hear(heard, now);
    return heard;
  }

  #hear(total: DayTotal, at: number): void {
    this.#known.total = total;
    this.#known.at = at;
  }
}

function capped(spent: string, setting: string): Failure {
  return new Failure("limited", `The Moltbot's budget for today is used up: ${spent}.`, {
    hint: `It starts anew at 00:00 UTC; its owner sets it with ${setting}.`,
  });
}
