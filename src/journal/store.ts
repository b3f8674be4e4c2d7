import { z } from "zod";
import { JOURNAL_KINDS, type JournalEntry } from "../core/journal.ts";
import type { JournalPage, JournalQuery } from "./access.ts";

/** No index but the rowid: each would be one more row to pay for at every call, and reading is rare. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, principal TEXT NOT NULL, client TEXT,
    action TEXT NOT NULL, digest TEXT, outcome TEXT NOT NULL, ms INTEGER NOT NULL, detail TEXT);
`;

const FILTERS = ["kind", "principal", "client", "action", "outcome"] as const;

const row = z
  .object({
    id: z.number(),
    kind: z.enum(JOURNAL_KINDS),
    at: z.number(),
    principal: z.string(),
    client: z.string().nullable(),
    action: z.string(),
    digest: z.string().nullable(),
    outcome: z.string(),
    ms: z.number(),
    detail: z.string().nullable(),
  })
  .transform(({ client, digest, detail, ...rest }) => ({
    ...rest,
    ...(client === null ? {} : { client }),
    ...(digest === null ? {} : { digest }),
    ...(detail === null ? {} : { detail: details.parse(JSON.parse(detail)) }),
  }));
const details = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const number = z.object({ n: z.number() });

/** The entries in the object's SQLite. Every call is synchronous. */
export class JournalStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** Answers the entry's id; ids grow by one and only the oldest are ever deleted. */
  add(entry: JournalEntry): number {
    const { kind, at, principal, client, action, digest, outcome, ms, detail } = entry;
    const written = this.#sql.exec(
      `INSERT INTO entries (kind, at, principal, client, action, digest, outcome, ms, detail)
       VALUES (?,?,?,?,?,?,?,?,?) RETURNING id AS n`,
      kind,
      at,
      principal,
      client ?? null,
      action,
      digest ?? null,
      outcome,
      ms,
      detail === undefined ? null : JSON.stringify(detail),
    );
    return number.parse(written.one()).n;
  }

  /** Newest first; what began before `since` is left out. */
  read(query: JournalQuery, since: number): JournalPage {
    const conditions = ["at >= ?"];
    const bindings: SqlStorageValue[] = [since];
    for (const name of FILTERS) {
      const wanted = query[name];
      if (wanted === undefined) continue;
      conditions.push(`${name} = ?`);
      bindings.push(wanted);
    }
    if (query.before !== undefined) {
      conditions.push("id < ?");
      bindings.push(query.before);
    }
    // One more than wanted tells whether there is another page.
    const rows = this.#sql.exec(
      `SELECT * FROM entries WHERE ${conditions.join(" AND ")} ORDER BY id DESC LIMIT ?`,
      ...bindings,
      query.limit + 1,
    );
    const found = Array.from(rows, (each) => row.parse(each));
    const entries = found.slice(0, query.limit);
    const last = entries.at(-1);
    return { entries, ...(found.length > entries.length && last ? { before: last.id } : {}) };
  }

  /** Deletes that entry and all older ones. */
  dropUpTo(id: number): void {
    this.#sql.exec("DELETE FROM entries WHERE id <= ?", id);
  }

  /** Deletes from the oldest on what began before `since`, up to the first that did not. Answers when that one began. */
  dropBefore(since: number): number | undefined {
    const [fresh] = this.#sql.exec("SELECT id AS n FROM entries WHERE at >= ? ORDER BY id LIMIT 1", since);
    if (fresh === undefined) {
      this.#sql.exec("DELETE FROM entries");
      return undefined;
    }
    this.#sql.exec("DELETE FROM entries WHERE id < ?", number.parse(fresh).n);
    return number.parse(this.#sql.exec("SELECT at AS n FROM entries ORDER BY id LIMIT 1").one()).n;
  }
}
