import { Failure } from "../core/failure.ts";
import type { Uptime } from "./lifecycle.ts";

const KEY = "moltbot:uptime";
const HOUR_MS = 60 * 60 * 1000;

/**
 * List prices in dollars (https://developers.cloudflare.com/containers/pricing/, as read in August 2026): a GiB of memory
 * and a GB of disk for a second that the container is up, and a vCPU for a second that it works.
 */
const USD = { gibSecond: 0.0000025, gbSecond: 0.00000007, vcpuSecond: 0.00002 } as const;

/** Assumed: an instance of type standard-2, the smallest with a whole vCPU... */
const INSTANCE = { vcpu: 1, gib: 6, gb: 12 } as const;
/** ...that works a tenth of the time, and nothing of it in what the plan includes (25 GiB hours and 375 vCPU minutes a month). */
const WORKS = 0.1;

/** Dollars for an hour that the container is up: an estimate, about 6.4 cents. */
const USD_PER_HOUR =
  3_600 * (INSTANCE.gib * USD.gibSecond + INSTANCE.gb * USD.gbSecond + INSTANCE.vcpu * WORKS * USD.vcpuSecond);

interface Month {
  month: string;
  awakeMs: number;
  starts: number;
}

interface Kept {
  months: Month[];
  /** The container's present run: when it began, and when it was last seen up. */
  open?: { from: number; seen: number };
}

export interface UptimeStorage {
  get(key: string): Promise<Kept | undefined>;
  put(key: string, value: Kept): Promise<void>;
}

export interface UptimeLimits {
  sleepAfter: string;
  /** Undefined: no cap. */
  capHours: number | undefined;
}

/** Counts how long the container is up, in calendar months of UTC. It is told by whoever sees the container. */
export class UptimeClock {
  readonly #storage: UptimeStorage;
  #kept: Kept | undefined;

  constructor(storage: UptimeStorage) {
    this.#storage = storage;
  }

  /** The container has started. A run that nobody saw the end of ends when it was last seen. */
  async started(now: number): Promise<void> {
    const { months } = closed(await this.#read());
    await this.#write({ months: added(months, now, { awakeMs: 0, starts: 1 }), open: { from: now, seen: now } });
  }

  /** The container is up, or else it is not. Cheap enough to be called often. */
  async seen(running: boolean, now: number): Promise<void> {
    const kept = await this.#read();
    if (running) await this.#write({ ...kept, open: { from: kept.open?.from ?? now, seen: now } });
    else if (kept.open) await this.#write(closed(kept));
  }

  /** The container has stopped just now. */
  async stopped(now: number): Promise<void> {
    const kept = await this.#read();
    if (kept.open) await this.#write(closed({ ...kept, open: { ...kept.open, seen: now } }));
  }

  async uptime(running: boolean, now: number, { sleepAfter, capHours }: UptimeLimits): Promise<Uptime> {
    const kept = await this.#read();
    const { months } = closed(running && kept.open ? { ...kept, open: { ...kept.open, seen: now } } : kept);
    const month = monthOf(now);
    const { awakeMs = 0, starts = 0 } = months.find((each) => each.month === month) ?? {};
    const hours = awakeMs / HOUR_MS;
    return {
      month,
      awakeHours: Math.round(hours * 10_000) / 10_000,
      starts,
      usd: Math.round(hours * USD_PER_HOUR * 10_000) / 10_000,
      ...(capHours === undefined ? {} : { capHours }),
      sleepAfter,
    };
  }

  /** How long the container may still be up in this month; undefined without a cap. */
  async leftMs(running: boolean, now: number, { capHours }: UptimeLimits): Promise<number | undefined> {
    if (capHours === undefined) return undefined;
    const kept = await this.#read();
    const { months } = closed(running && kept.open ? { ...kept, open: { ...kept.open, seen: now } } : kept);
    return capHours * HOUR_MS - (months.find((each) => each.month === monthOf(now))?.awakeMs ?? 0);
  }

  async #read(): Promise<Kept> {
    this.#kept ??= (await this.#storage.get(KEY)) ?? { months: [] };
    return this.#kept;
  }

  async #write(kept: Kept): Promise<void> {
    this.#kept = kept;
    await this.#storage.put(KEY, kept);
  }
}

export function capReached(capHours: number): Failure {
  return new Failure("given_up", `The Moltbot was awake for the ${capHours} hours that this month may have.`, {
    hint: "It wakes again next month (UTC), or when SANDBOX_MONTHLY_HOURS is raised.",
  });
}

/** The run's time goes to the months it was in. */
function closed({ months, open }: Kept): Kept {
  let all = months;
  for (let from = open?.from ?? 0, to = open?.seen ?? 0; from < to;) {
    const end = Math.min(to, nextMonth(from));
    all = added(all, from, { awakeMs: end - from, starts: 0 });
    from = end;
  }
  return { months: all };
}

/** The last year is kept. */
function added(months: readonly Month[], at: number, more: { awakeMs: number; starts: number }): Month[] {
  const month = monthOf(at);
  const { awakeMs = 0, starts = 0 } = months.find((each) => each.month === month) ?? {};
  const others = months.filter((each) => each.month !== month);
  return [...others, { month, awakeMs: awakeMs + more.awakeMs, starts: starts + more.starts }].slice(-12);
}

function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

function nextMonth(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
