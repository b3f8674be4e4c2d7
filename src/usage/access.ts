import type { Reply } from "../core/reply.ts";

/** Tokens of one call. `cached` is the part of the input that the provider had in a cache. */
export interface Tokens {
  input: number;
  cached: number;
  output: number;
}

/** One model call, as it is counted. */
export interface UsageEntry {
  /** Milliseconds since 1970. */
  at: number;
  /** As people name it; "none" when none answered. */
  model: string;
  /** The person's opaque id, or "bot" when the call belongs to nobody's message. */
  principal: string;
  client: string;
  conversation: string;
  tokens: Tokens;
  /** Dollars, by estimate; undefined when the model's price is not known. */
  usd: number | undefined;
  firstWordMs: number;
  ms: number;
  ok: boolean;
}

export interface UsageTotal {
  calls: number;
  failed: number;
  input: number;
  cached: number;
  output: number;
  usd: number;
  /** Calls whose cost is not in `usd`, because the model's price is not known. */
  unpriced: number;
  /** Mean milliseconds to the first word and to the end. */
  firstWordMs: number;
  ms: number;
}

/** Totals of a span of days (UTC), and the same by each of what can be told apart. */
export interface UsageSummary {
  from: string;
  to: string;
  total: UsageTotal;
  days: (UsageTotal & { day: string })[];
  models: (UsageTotal & { model: string })[];
  clients: (UsageTotal & { client: string })[];
  conversations: (UsageTotal & { principal: string; conversation: string })[];
}

export interface DayTotal {
  /** "2026-11-23", UTC. */
  day: string;
  tokens: number;
  usd: number;
}

/** What models cost, as other folders see it. */
export interface UsageAccess {
  /** Counts a call and answers the day's total with it. */
  record(entry: UsageEntry): Promise<Reply<DayTotal>>;
  today(): Promise<Reply<DayTotal>>;
  /** The last `days` days with today. */
  summary(days: number): Promise<Reply<UsageSummary>>;
}
