import { z } from "zod";
import { shardOf } from "./codec.ts";
import { type Entry, entrySchema, MOST_SHARDS } from "./format.ts";
import type { Tables } from "./tables.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, bucket INTEGER NOT NULL, sha TEXT NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS incoming (path TEXT PRIMARY KEY, bucket INTEGER NOT NULL, sha TEXT NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS staged (path TEXT PRIMARY KEY, bucket INTEGER NOT NULL, entry TEXT) WITHOUT ROWID;
`;
const INDEXES = `
  CREATE INDEX IF NOT EXISTS files_by_bucket ON files (bucket);
  CREATE INDEX IF NOT EXISTS staged_by_bucket ON staged (bucket);
`;
/** As earlier versions had them: with the shard of the present generation in a column, and nothing of it in the other table. */
const FROM_SHARDS = `
  DROP INDEX IF EXISTS files_by_shard;
  ALTER TABLE files DROP COLUMN shard;
  ALTER TABLE files ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE staged ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0;
`;

const pathRow = z.object({ path: z.string() });
const countRow = z.object({ n: z.number() });
const totalRow = z.object({ n: z.number(), bytes: z.number().nullable() });
const entryRow = z.object({ entry: z.string().transform((text) => entrySchema.parse(JSON.parse(text))) });
const textRow = z.object({ path: z.string(), entry: z.string() });
const nameRow = z.object({ name: z.string() });
const shardRow = z.object({ shard: z.number() });
const absentRow = z.object({ n: z.number(), first: z.string().nullable() });

const SIZE = "coalesce(json_extract(entry, '$.size'), 0)";

/**
 * The present generation's entries, the changes of the commit that is being made, and the entries of a generation that is being
 * read to become the present one. There may be 200,000 of each: what concerns all of them is done by SQLite, and not in memory.
 */
export class Entries {
  readonly #tables: Tables;
  #version = 0;

  constructor(tables: Tables) {
    this.#tables = tables;
    tables.run(SCHEMA);
    const hasShards = tables.get(countRow, "SELECT count(*) AS n FROM pragma_table_info('files') WHERE name = 'shard'");
    if (hasShards.n > 0) tables.atomically(() => this.#upgrade());
    tables.run(INDEXES);
  }

  #upgrade(): void {
    this.#tables.run(FROM_SHARDS);
    for (const table of ["files", "staged"]) {
      for (const { path } of this.#tables.all(pathRow, `SELECT path FROM ${table}`)) {
        this.#tables.run(`UPDATE ${table} SET bucket = ? WHERE path = ?`, bucketOf(path), path);
      }
    }
  }

  /** What was received stays: it may be the next present one. */
  clear(): void {
    this.#version += 1;
    for (const table of ["files", "staged"]) this.#tables.run(`DELETE FROM ${table}`);
  }

  // Present

  /** Another number after each change of the present entries; counted from the object's start. */
  get version(): number {
    return this.#version;
  }

  entry(path: string): Entry | undefined {
    return this.#tables.one(entryRow, "SELECT entry FROM files WHERE path = ?", path)?.entry;
  }

  /** Ordered by path, those after `after` that begin with `prefix`. */
  *under(prefix: string, after: string): Generator<Entry> {
    const rows = this.#tables.each(
      entryRow,
      "SELECT entry FROM files WHERE path > ?1 AND path >= ?2 AND path < ?2 || char(1114111) AND substr(path, 1, length(?2)) = ?2 ORDER BY path",
      after,
      prefix,
    );
    for (const { entry } of rows) yield entry;
  }

  // Of a generation that becomes the present one

  receive(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      const sha = "sha256" in entry ? entry.sha256 : "";
      this.#tables.run(
        "INSERT OR REPLACE INTO incoming (path, bucket, sha, entry) VALUES (?, ?, ?, ?)",
        entry.path,
        bucketOf(entry.path),
        sha,
        JSON.stringify(entry),
      );
    }
  }

  dropReceived(): void {
    this.#tables.run("DELETE FROM incoming");
  }

  received(): { files: number; bytes: number } {
    const { n, bytes } = this.#tables.get(totalRow, `SELECT count(*) AS n, sum(${SIZE}) AS bytes FROM incoming`);
    return { files: n, bytes: bytes ?? 0 };
  }

  /** Makes what was received the present entries. */
  applyReceived(): void {
    this.#version += 1;
    this.#tables.run("DELETE FROM files");
    this.#tables.run("INSERT INTO files (path, bucket, sha, entry) SELECT path, bucket, sha, entry FROM incoming");
    this.#tables.run("DELETE FROM incoming");
  }

  // Staged

  stage(changes: Iterable<{ path: string; entry: Entry | null }>): void {
    for (const { path, entry } of changes) {
      this.#tables.run(
        "INSERT OR REPLACE INTO staged (path, bucket, entry) VALUES (?, ?, ?)",
        path,
        bucketOf(path),
        entry === null ? null : JSON.stringify(entry),
      );
    }
  }

  stagedCount(): number {
    return this.#tables.get(countRow, "SELECT count(*) AS n FROM staged").n;
  }

  dropStaged(): void {
    this.#tables.run("DELETE FROM staged");
  }

  /** Blobs that staged entries refer to and that are not stored: how many, and one of them. */
  absentBlobs(): { n: number; first: string | null } {
    return this.#tables.get(
      absentRow,
      `SELECT count(DISTINCT name) AS n, min(name) AS first
       FROM (SELECT json_extract(piece.value, '$.blob') AS name FROM staged, json_each(staged.entry, '$.pieces') AS piece WHERE staged.entry IS NOT NULL) AS named
       WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.name = named.name AND blobs.state = 'stored')`,
    );
  }

  /** How many entries there will be, and their bytes, once what is staged is applied to those of `before`. */
  totalsAfterStaged(before: { files: number; bytes: number }): { files: number; bytes: number } {
    const replaced = this.#tables.get(
      totalRow,
      `SELECT count(*) AS n, sum(${SIZE}) AS bytes FROM (SELECT files.entry FROM staged CROSS JOIN files ON files.path = staged.path)`,
    );
    const added = this.#tables.get(
      totalRow,
      `SELECT count(*) AS n, sum(${SIZE}) AS bytes FROM staged WHERE entry IS NOT NULL`,
    );
    return {
      files: before.files - replaced.n + added.n,
      bytes: before.bytes - (replaced.bytes ?? 0) + (added.bytes ?? 0),
    };
  }

  /** Of `shards` trees those that what is staged changes. */
  touchedShards(shards: number): number[] {
    const rows = this.#tables.all(shardRow, `SELECT DISTINCT bucket % ${shards} AS shard FROM staged`);
    return rows.map(({ shard }) => shard);
  }

  /**
   * One tree as it will be once what is staged is applied: its content, ordered by path, and the blobs it names. Made of the texts
   * that are there: every entry was checked when it came.
   */
  treeAfterStaged(shard: number, shards: number): { content: string; blobs: string[] } {
    const buckets = Array.from({ length: MOST_SHARDS / shards }, (_bucket, n) => shard + n * shards).join(", ");
    const entries = `SELECT path, entry FROM files WHERE bucket IN (${buckets}) AND path NOT IN (SELECT path FROM staged)
       UNION ALL SELECT path, entry FROM staged WHERE entry IS NOT NULL AND bucket IN (${buckets})`;
    const rows = this.#tables.all(textRow, entries).toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const blobs = this.#tables.all(
      nameRow,
      `SELECT DISTINCT json_extract(piece.value, '$.blob') AS name
       FROM (${entries}) AS listed, json_each(listed.entry, '$.pieces') AS piece`,
    );
    return { content: `[${rows.map(({ entry }) => entry).join(",")}]`, blobs: blobs.map(({ name }) => name) };
  }

  applyStaged(): void {
    this.#version += 1;
    this.#tables.run("DELETE FROM files WHERE path IN (SELECT path FROM staged)");
    this.#tables.run(
      `INSERT INTO files (path, bucket, sha, entry)
       SELECT path, bucket, coalesce(json_extract(entry, '$.sha256'), ''), entry FROM staged WHERE entry IS NOT NULL`,
    );
    this.#tables.run("DELETE FROM staged");
  }
}

/** From it follows the path's shard among however many there are. */
function bucketOf(path: string): number {
  return shardOf(path, MOST_SHARDS);
}
