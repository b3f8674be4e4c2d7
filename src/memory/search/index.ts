import { z } from "zod";
import type { FileEntry } from "../format.ts";
import { ownerOf } from "../reading.ts";
import { type Hit, hitSchema, type Kind } from "./hit.ts";
import type { Passage } from "./passages.ts";
import { passages } from "./passages.ts";
import { ftsQueries } from "./query.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS indexed (path TEXT PRIMARY KEY, sha TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, line INTEGER NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS passages_by_path ON passages (path);
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

/** Marks the words that were looked for. */
const [BEFORE, AFTER] = ["**", "**"];
const SNIPPET_WORDS = 32;

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

  /** Paths under `workspace/` and `conversations/`, hidden ones aside, whose present content is not indexed. */
  stale(limit: number): string[] {
    const rows = this.#sql.exec(
      `SELECT f.path FROM files f LEFT JOIN indexed i ON i.path = f.path
       WHERE (f.path LIKE 'workspace/%' OR f.path LIKE 'conversations/%') AND f.path NOT LIKE '%/.%' AND f.sha <> '' AND (i.path IS NULL OR i.sha <> f.sha)
       LIMIT ?`,
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

  /** Best first. Conversations of others than `reader` are not looked at. */
  search(
    words: string,
    { limit, kinds, since, reader }: { limit: number; kinds: readonly Kind[]; since: string; reader: string },
  ): Hit[] {
    const queries = ftsQueries(words);
    if (!queries) return [];
    const run = (query: string) => [
      ...this.#sql.exec(
        `SELECT p.path, p.kind, p.line, p.at, bm25(passage_words) AS score,
           snippet(passage_words, 0, '${BEFORE}', '${AFTER}', ' … ', ${SNIPPET_WORDS}) AS snippet
         FROM passage_words JOIN passages p ON p.id = passage_words.rowid
         WHERE passage_words MATCH ?1 AND p.at >= ?2 AND instr(?3, p.kind) > 0
           AND p.owner IN ('', ?4)
         ORDER BY rank LIMIT ?5`,
        query,
        since,
        kinds.join(" "),
        reader,
        limit,
      ),
    ];
    const all = run(queries.all);
    return (all.length > 0 ? all : run(queries.any)).map((row) => hitSchema.parse(row));
  }
}
