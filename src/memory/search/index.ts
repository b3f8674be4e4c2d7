import { z } from "zod";
import type { FileEntry } from "../format.ts";
import { ownerOf } from "../reading.ts";
import { type Hit, hitSchema, type Kind } from "./hit.ts";
import type { Passage } from "./passages.ts";
import { passages } from "./passages.ts";
import { allOf, anyOf, ftsTerms } from "./query.ts";

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

/** So many passages are weighed (BM25) within a few milliseconds; each takes about as long as the next. */
const MOST_WEIGHED = 3_000;

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
    this.#sql.exec("DELETE FROM indexed WHERE path = ?", path);
    this.#sql.exec("DELETE FROM passages WHERE path = ?", path);
  }

  clear(): void {
    for (const path of [...this.#sql.exec("SELECT path FROM indexed")].map((row) => pathRow.parse(row).path)) {
      this.remove(path);
    }
  }

  /**
   * What has all the words, the best first; or, when nothing has, what has any. Only so many passages are weighed: where more
   * have all the words, and behind what has the rarer ones, those that were indexed last come first. Conversations of others
   * than `reader` are not looked at.
   */
  search(text: string, filter: SearchFilter): Hit[] {
    const terms = ftsTerms(text);
    if (terms.length === 0) return [];
    const all = allOf(terms);
    const found = this.#count(all) > MOST_WEIGHED ? this.#newest(all, filter) : this.#ranked(all, filter);
    if (found.length === 0 && terms.length > 1) {
      const { rare, common } = this.#parted(terms);
      found.push(...this.#ranked(anyOf(rare), filter));
      found.push(...this.#newest(anyOf(common), filter, found));
    }
    return found.map(({ id, ...hit }) => ({ ...hit, snippet: this.#snippet(id, anyOf(terms)) }));
  }

  /** The terms that together stand in few enough passages to weigh those, and the others. */
  #parted(terms: readonly string[]): { rare: string[]; common: string[] } {
    const counted = terms.map((term) => ({ term, within: this.#count(term) }));
    const parts: { rare: string[]; common: string[] } = { rare: [], common: [] };
    let weighed = 0;
    for (const { term, within } of counted.toSorted((a, b) => a.within - b.within)) {
      weighed += within;
      if (within > 0) parts[weighed > MOST_WEIGHED ? "common" : "rare"].push(term);
    }
    return parts;
  }

  #ranked(query: string, filter: SearchFilter): z.output<typeof foundRow>[] {
    // Not by FTS5's own `rank`: it sorts all that match before it gives the first.
    return this.#found("TRUE ORDER BY score", "bm25(passage_words)", query, filter);
  }

  #newest(query: string, filter: SearchFilter, but: readonly { id: number }[] = []): z.output<typeof foundRow>[] {
    const others = "passage_words.rowid NOT IN (SELECT value FROM json_each(?6)) ORDER BY passage_words.rowid DESC";
    const rest = { ...filter, limit: filter.limit - but.length };
    return this.#found(others, "0", query, rest, JSON.stringify(but.map(({ id }) => id)));
  }

  #found(
    rest: string,
    score: string,
    query: string,
    { limit, kinds, since, reader }: SearchFilter,
    ...more: readonly string[]
  ) {
    if (limit === 0 || query === "") return [];
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
      ...more,
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

  /** How many passages match; a larger number is not counted to its end. */
  #count(query: string): number {
    const rows = this.#sql.exec(
      `SELECT count(*) AS n FROM (SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT ${MOST_WEIGHED + 1})`,
      query,
    );
    return countRow.parse(rows.one()).n;
  }
}
