import { z } from "zod";
import type { FileEntry } from "../format.ts";
import { ownerOf } from "../reading.ts";
import { type Hit, hitSchema, type Kind } from "./hit.ts";
import type { Passage } from "./passages.ts";
import { passages } from "./passages.ts";
import { allOf, anyOf, ftsTerms, spelled } from "./query.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS indexed (path TEXT PRIMARY KEY, sha TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, line INTEGER NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS passages_by_path ON passages (path);
  CREATE INDEX IF NOT EXISTS passage_facts ON passages (id, at, kind, owner, path, line);
  CREATE VIRTUAL TABLE IF NOT EXISTS passage_words USING fts5 (
    text, content = 'passages', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
  );
  CREATE VIRTUAL TABLE IF NOT EXISTS passage_vocabulary USING fts5vocab (passage_words, row);
  CREATE TRIGGER IF NOT EXISTS passage_added AFTER INSERT ON passages BEGIN
    INSERT INTO passage_words (rowid, text) VALUES (new.id, new.text);
  END;
  CREATE TRIGGER IF NOT EXISTS passage_removed AFTER DELETE ON passages BEGIN
    INSERT INTO passage_words (passage_words, rowid, text) VALUES ('delete', old.id, old.text);
  END;
`;

const pathRow = z.object({ path: z.string() });
const countRow = z.object({ n: z.number() });
const foundRow = hitSchema.omit({ snippet: true }).extend({ id: z.number() });
const snippetRow = hitSchema.pick({ snippet: true });

/** Marks the words that were looked for. */
const [BEFORE, AFTER] = ["**", "**"];
const SNIPPET_WORDS = 32;

/** So many passages are ranked within a few milliseconds, whatever the words. */
const FEW_PASSAGES = 5_000;

export interface SearchFilter {
  limit: number;
  kinds: readonly Kind[];
  /** ISO 8601; empty for all times. */
  since: string;
  reader: string;
}

/** The full-text index of the present generation's texts. All calls are immediate. */
export class SearchIndex {
  readonly #sql: SqlStorage;
  readonly #storage: DurableObjectStorage;
  /** How many there are; undefined when that has to be counted. */
  #passages: number | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(SCHEMA);
  }

  /** Paths that are indexed and are no longer among the present entries. */
  gone(): string[] {
    const rows = this.#sql.exec("SELECT path FROM indexed WHERE path NOT IN (SELECT path FROM files)");
    return [...rows].map((row) => pathRow.parse(row).path);
  }

  /**
   * Paths under `workspace/` and `conversations/`, hidden ones aside, whose present content is not indexed: the first so many
   * behind `after`.
   */
  stale(after: string, limit: number): string[] {
    const rows = this.#sql.exec(
      `SELECT f.path FROM files f LEFT JOIN indexed i ON i.path = f.path
       WHERE f.path > ? AND (f.path LIKE 'workspace/%' OR f.path LIKE 'conversations/%') AND f.path NOT LIKE '%/.%' AND f.sha <> '' AND (i.path IS NULL OR i.sha <> f.sha)
       ORDER BY f.path LIMIT ?`,
      after,
      limit,
    );
    return [...rows].map((row) => pathRow.parse(row).path);
  }

  /** `text` is undefined for what is no text: noted, so that it is not looked at again. */
  set(entry: FileEntry, text: string | undefined): void {
    const kind = entry.path.startsWith("conversations/") ? "conversation" : "note";
    const modified = new Date(entry.modified).toISOString();
    const found: Passage[] = text === undefined ? [] : passages(text, kind);
    this.#passages = undefined;
    this.#storage.transactionSync(() => {
      this.remove(entry.path);
      this.#sql.exec("INSERT INTO indexed VALUES (?, ?)", entry.path, entry.sha256);
      for (const { line, at, text: part } of found) {
        this.#sql.exec(
          "INSERT INTO passages (path, kind, owner, line, at, text) VALUES (?, ?, ?, ?, ?, ?)",
          entry.path,
          kind,
          ownerOf(entry.path) ?? "",
          line,
          at ?? modified,
          part,
        );
      }
    });
  }

  remove(path: string): void {
    this.#passages = undefined;
    this.#sql.exec("DELETE FROM indexed WHERE path = ?", path);
    this.#sql.exec("DELETE FROM passages WHERE path = ?", path);
  }

  clear(): void {
    for (const path of [...this.#sql.exec("SELECT path FROM indexed")].map((row) => pathRow.parse(row).path)) {
      this.remove(path);
    }
  }

  /**
   * Best first: what has all the words, or, when nothing has, what has any. A word that stands in more than half of all
   * passages has no weight in the ranking (BM25); it is required, but not weighed, for weighing it takes long. Where such words
   * alone decide, what was indexed last comes first. Conversations of others than `reader` are not looked at.
   */
  search(text: string, filter: SearchFilter): Hit[] {
    const terms = ftsTerms(text);
    if (terms.length === 0) return [];
    const common = new Set(terms.filter((term) => this.#isCommon(term)));
    const telling = terms.filter((term) => !common.has(term));
    const all = allOf(terms);
    const found =
      telling.length === 0
        ? this.#newest(all, filter)
        : this.#ranked(allOf(telling), filter, common.size > 0 ? all : undefined);
    if (found.length === 0) {
      if (telling.length > 0) found.push(...this.#ranked(anyOf(telling), filter));
      if (common.size > 0) found.push(...this.#newest(anyOf([...common]), filter, found));
    }
    return found.map(({ id, ...hit }) => ({ ...hit, snippet: this.#snippet(id, anyOf(terms)) }));
  }

  #ranked(query: string, filter: SearchFilter, required?: string): z.output<typeof foundRow>[] {
    // The plus keeps the inner query from being asked once for every row.
    const has =
      required === undefined
        ? "?6 IS NULL"
        : "+passage_words.rowid IN (SELECT rowid FROM passage_words WHERE passage_words MATCH ?6)";
    return this.#found(`${has} ORDER BY rank`, "rank", query, filter, required ?? null);
  }

  #newest(query: string, filter: SearchFilter, but: readonly { id: number }[] = []): z.output<typeof foundRow>[] {
    const others = "passage_words.rowid NOT IN (SELECT value FROM json_each(?6))";
    const rest = { ...filter, limit: filter.limit - but.length };
    const ids = JSON.stringify(but.map(({ id }) => id));
    return this.#found(`${others} ORDER BY passage_words.rowid DESC`, "0", query, rest, ids);
  }

  #found(
    rest: string,
    score: string,
    query: string,
    { limit, kinds, since, reader }: SearchFilter,
    more: string | null,
  ) {
    if (limit === 0) return [];
    // By the index, for a row has its whole text in it: what the filter leaves out would be read all the same.
    const rows = this.#sql.exec(
      `SELECT p.id, p.path, p.kind, p.line, p.at, ${score} AS score
       FROM passage_words CROSS JOIN passages p INDEXED BY passage_facts ON p.id = passage_words.rowid
       WHERE passage_words MATCH ?1 AND p.at >= ?2 AND instr(?3, p.kind) > 0 AND p.owner IN ('', ?4) AND ${rest} LIMIT ?5`,
      query,
      since,
      kinds.join(" "),
      reader,
      limit,
      more,
    );
    return [...rows].map((row) => foundRow.parse(row));
  }

  /** With every word that was looked for marked, whichever of them decided the rank. */
  #snippet(id: number, query: string): string {
    // Numbers are bound as reals, and FTS5 heeds no real as a rowid.
    const rows = this.#sql.exec(
      `SELECT snippet(passage_words, 0, '${BEFORE}', '${AFTER}', ' … ', ${SNIPPET_WORDS}) AS snippet
       FROM passage_words WHERE passage_words MATCH ? AND rowid = CAST(? AS INTEGER)`,
      query,
      id,
    );
    return snippetRow.parse(rows.one()).snippet;
  }

  #isCommon(term: string): boolean {
    this.#passages ??= this.#count("SELECT count(*) AS n FROM passages");
    if (this.#passages < FEW_PASSAGES) return false;
    const within = this.#count(
      "SELECT coalesce(sum(doc), 0) AS n FROM passage_vocabulary WHERE term = ?",
      spelled(term),
    );
    return within > this.#passages / 2;
  }

  #count(query: string, ...values: string[]): number {
    return countRow.parse(this.#sql.exec(query, ...values).one()).n;
  }
}
