import { z } from "zod";
import type { DayTotal, UsageEntry, UsageSummary, UsageTotal } from "./access.ts";

const DAY_MS = 86_400_000;
const KEPT_DAYS = 400;

/** One row for all calls of a day that differ in nothing else: it grows with who uses the bot, not with how much. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS usage (
    day TEXT NOT NULL, principal TEXT NOT NULL, client TEXT NOT NULL, conversation TEXT NOT NULL, model TEXT NOT NULL,
    calls INTEGER NOT NULL, failed INTEGER NOT NULL, input INTEGER NOT NULL, cached INTEGER NOT NULL,
    output INTEGER NOT NULL, usd REAL NOT NULL, unpriced INTEGER NOT NULL,
    first_word_ms INTEGER NOT NULL, ms INTEGER NOT NULL,
    PRIMARY KEY (day, principal, client, conversation, model)) WITHOUT ROWID;
`;

const SUMS = `sum(calls) AS calls, sum(failed) AS failed, sum(input) AS input, sum(cached) AS cached,
  sum(output) AS output, sum(usd) AS usd, sum(unpriced) AS unpriced,
  sum(first_word_ms) AS first_word_ms, sum(ms) AS ms`;

const number = z
  .number()
  .nullable()
  .transform((value) => value ?? 0);
const sums = {
  calls: number,
  failed: number,
  input: number,
  cached: number,
  output: number,
  usd: number,
  unpriced: number,
  first_word_ms: number,
  ms: number,
};
const row = z.object({
  ...sums,
  day: z.string().default(""),
  model: z.string().default(""),
  client: z.string().default(""),
  principal: z.string().default(""),
  conversation: z.string().default(""),
});
type Row = z.infer<typeof row>;

/** Usage in the object's SQLite. Every call is synchronous. */
export class UsageStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  add({ at, model, principal, client, conversation, tokens, usd, firstWordMs, ms, ok }: UsageEntry): void {
    this.#sql.exec(
      `INSERT INTO usage VALUES (?,?,?,?,?,1,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET
        calls = calls + 1, failed = failed + excluded.failed, input = input + excluded.input,
        cached = cached + excluded.cached, output = output + excluded.output, usd = usd + excluded.usd,
        unpriced = unpriced + excluded.unpriced, first_word_ms = first_word_ms + excluded.first_word_ms,
        ms = ms + excluded.ms`,
      dayOf(at),
      principal,
      client,
      conversation,
      model,
      ok ? 0 : 1,
      tokens.input,
      tokens.cached,
      tokens.output,
      usd ?? 0,
      usd === undefined && tokens.output > 0 ? 1 : 0,
      firstWordMs,
      ms,
    );
    this.#sql.exec("DELETE FROM usage WHERE day < ?", dayOf(at - KEPT_DAYS * DAY_MS));
  }

  day(day: string): DayTotal {
    const [all] = this.#rows(`SELECT ${SUMS} FROM usage WHERE day = ?`, day);
    return { day, tokens: (all?.input ?? 0) + (all?.output ?? 0), usd: all?.usd ?? 0 };
  }

  summary(now: number, days: number): UsageSummary {
    const [from, to] = [dayOf(now - (days - 1) * DAY_MS), dayOf(now)];
    const by = (columns: string, order = "sum(input) + sum(output) DESC", most = 100) =>
      this.#rows(
        `SELECT ${columns}, ${SUMS} FROM usage WHERE day >= ? GROUP BY ${columns} ORDER BY ${order} LIMIT ?`,
        from,
        most,
      );
    const [all] = this.#rows(`SELECT ${SUMS} FROM usage WHERE day >= ?`, from);
    return {
      from,
      to,
      total: total(all ?? row.parse(Object.fromEntries(Object.keys(sums).map((name) => [name, 0])))),
      days: by("day", "day DESC", days).map((each) => ({ day: each.day, ...total(each) })),
      models: by("model").map((each) => ({ model: each.model, ...total(each) })),
      clients: by("client").map((each) => ({ client: each.client, ...total(each) })),
      conversations: by("principal, conversation").map((each) => ({
        principal: each.principal,
        conversation: each.conversation,
        ...total(each),
      })),
    };
  }

  #rows(query: string, ...bindings: SqlStorageValue[]): Row[] {
    return Array.from(this.#sql.exec(query, ...bindings), (each) => row.parse(each));
  }
}

function total({ calls, failed, input, cached, output, usd, unpriced, first_word_ms, ms }: Row): UsageTotal {
  const mean = (sum: number) => (calls === 0 ? 0 : Math.round(sum / calls));
  return { calls, failed, input, cached, output, usd, unpriced, firstWordMs: mean(first_word_ms), ms: mean(ms) };
}

/** The day in UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
