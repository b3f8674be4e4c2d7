import { z } from "zod";
import { shardOf } from "./codec.ts";
import { blobsOf, type Entry, entrySchema, type Manifest, REASONS } from "./format.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, shard INTEGER NOT NULL, sha TEXT NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS files_by_shard ON files (shard);
  CREATE TABLE IF NOT EXISTS staged (path TEXT PRIMARY KEY, entry TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS blobs (
    name TEXT PRIMARY KEY, sha TEXT NOT NULL, bytes INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'stored', 'deleting', 'damaged')), pinned_until INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS blobs_by_sha ON blobs (sha);
  CREATE TABLE IF NOT EXISTS trees (name TEXT PRIMARY KEY, blobs TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS generations (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL, fence INTEGER NOT NULL, shards INTEGER NOT NULL,
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, trees TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('unsure', 'live', 'expired'))
  ) WITHOUT ROWID;
`;

const namesSchema = z.array(z.string());
const generationRow = z.object({
  id: z.string(),
  at: z.number(),
  reason: z.enum(REASONS),
  fence: z.number(),
  shards: z.number(),
  files: z.number(),
  bytes: z.number(),
  trees: z.string().transform((text) => namesSchema.parse(JSON.parse(text))),
  state: z.enum(["unsure", "live", "expired"]),
});
export type GenerationRow = z.output<typeof generationRow>;

const fileRow = z.object({ entry: z.string().transform((text) => entrySchema.parse(JSON.parse(text))) });
const stagedRow = z.object({
  path: z.string(),
  entry: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : entrySchema.parse(JSON.parse(text)))),
});
export type Staged = z.output<typeof stagedRow>;

const nameRow = z.object({ name: z.string() });
const countRow = z.object({ n: z.number() });
const totalRow = z.object({ n: z.number(), bytes: z.number().nullable() });
const factRow = z.object({ value: z.string() });
const blobRow = z.object({ name: z.string(), state: z.enum(["pending", "stored", "deleting", "damaged"]) });
const treeRow = z.object({ blobs: z.string() });

/** The memory object's own tables: what is in the bucket, and the present generation's entries. All calls are immediate. */
export class Ledger {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(SCHEMA);
  }

  /** All of the changes or none, whenever the object dies. */
  atomically(changes: () => void): void {
    this.#storage.transactionSync(changes);
  }

  fact(name: string): string | undefined {
    return this.#one(factRow, "SELECT value FROM facts WHERE name = ?", name)?.value;
  }

  setFact(name: string, value: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value);
  }

  clear(): void {
    for (const table of ["facts", "files", "staged", "blobs", "trees", "generations"]) {
      this.#sql.exec(`DELETE FROM ${table}`);
    }
  }

  // Present entries

  entry(path: string): Entry | undefined {
    return this.#one(fileRow, "SELECT entry FROM files WHERE path = ?", path)?.entry;
  }

  *entriesOf(shard: number): Generator<Entry> {
    const rows = this.#sql.exec("SELECT entry FROM files WHERE shard = ? ORDER BY path", shard);
    for (const row of rows) yield fileRow.parse(row).entry;
  }

  /** Ordered by path, those after `after` that begin with `prefix`. */
  *entriesUnder(prefix: string, after: string): Generator<Entry> {
    const rows = this.#sql.exec(
      "SELECT entry FROM files WHERE path > ? AND substr(path, 1, ?) = ? ORDER BY path",
      after > prefix ? after : prefix.slice(0, -1),
      prefix.length,
      prefix,
    );
    for (const row of rows) yield fileRow.parse(row).entry;
  }

  setEntries(entries: Iterable<Entry>, shards: number): void {
    for (const entry of entries) {
      const shard = shardOf(entry.path, shards);
      const sha = "sha256" in entry ? entry.sha256 : "";
      this.#sql.exec("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", entry.path, shard, sha, JSON.stringify(entry));
    }
  }

  dropEntries(): void {
    this.#sql.exec("DELETE FROM files");
  }

  /** Makes the staged changes the present entries; all of them get the shard they have among `shards`. */
  applyStaged(shards: number, resharded: boolean): void {
    this.#sql.exec("DELETE FROM files WHERE path IN (SELECT path FROM staged WHERE entry IS NULL)");
    for (const { entry } of this.staged()) if (entry) this.setEntries([entry], shards);
    this.#sql.exec("DELETE FROM staged");
    if (!resharded) return;
    const paths = this.#all(z.object({ path: z.string() }), "SELECT path FROM files");
    for (const { path } of paths) {
      this.#sql.exec("UPDATE files SET shard = ? WHERE path = ?", shardOf(path, shards), path);
    }
  }

  /** How many entries there will be, and their bytes, once what is staged is applied. */
  totalsAfterStaged(): { files: number; bytes: number } {
    const size = "coalesce(json_extract(entry, '$.size'), 0)";
    const kept = this.#get(
      totalRow,
      `SELECT count(*) AS n, sum(${size}) AS bytes FROM files WHERE path NOT IN (SELECT path FROM staged)`,
    );
    const added = this.#get(
      totalRow,
      `SELECT count(*) AS n, sum(${size}) AS bytes FROM staged WHERE entry IS NOT NULL`,
    );
    return { files: kept.n + added.n, bytes: (kept.bytes ?? 0) + (added.bytes ?? 0) };
  }

  /** The entries of one tree as they will be once what is staged is applied, ordered by path. */
  *entriesAfterStaged(shard: number, shards: number, resharded: boolean): Generator<Entry> {
    const query = `SELECT entry FROM files WHERE ${resharded ? "?1 = ?1" : "shard = ?1"} AND path NOT IN (SELECT path FROM staged)
      UNION ALL SELECT entry FROM staged WHERE entry IS NOT NULL`;
    const entries: Entry[] = [];
    for (const row of this.#sql.exec(query, shard)) {
      const { entry } = fileRow.parse(row);
      if (shardOf(entry.path, shards) === shard) entries.push(entry);
    }
    yield* entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  stage(changes: Iterable<Staged>): void {
    for (const { path, entry } of changes) {
      this.#sql.exec(
        "INSERT OR REPLACE INTO staged VALUES (?, ?)",
        path,
        entry === null ? null : JSON.stringify(entry),
      );
    }
  }

  staged(): Staged[] {
    return this.#all(stagedRow, "SELECT path, entry FROM staged");
  }

  dropStaged(): void {
    this.#sql.exec("DELETE FROM staged");
  }

  // Blobs

  /** The blob under which this content can be referred to, if there is one. */
  usableBlob(sha: string): string | undefined {
    return this.#one(
      nameRow,
      "SELECT name FROM blobs WHERE sha = ? AND state = 'stored' ORDER BY name DESC LIMIT 1",
      sha,
    )?.name;
  }

  /** A name for an upload of this content: the one that was given out before, or one that was never used. */
  reserveBlob(sha: string): string {
    const rows = this.#all(blobRow, "SELECT name, state FROM blobs WHERE sha = ?", sha);
    const pending = rows.find(({ state }) => state === "pending");
    if (pending) return pending.name;
    const numbers = rows.map(({ name }) => Number(name.split(".")[1] ?? 0));
    const name = rows.length === 0 ? sha : `${sha}.${Math.max(...numbers) + 1}`;
    this.#sql.exec("INSERT INTO blobs VALUES (?, ?, 0, 'pending', 0)", name, sha);
    return name;
  }

  pin(name: string, until: number): void {
    this.#sql.exec("UPDATE blobs SET pinned_until = max(pinned_until, ?) WHERE name = ?", until, name);
  }

  blobState(name: string): z.output<typeof blobRow>["state"] | undefined {
    return this.#one(blobRow, "SELECT name, state FROM blobs WHERE name = ?", name)?.state;
  }

  setStored(name: string, bytes: number): void {
    this.#sql.exec("UPDATE blobs SET state = 'stored', bytes = ? WHERE name = ? AND state = 'pending'", bytes, name);
  }

  setDamaged(name: string): void {
    this.#sql.exec("UPDATE blobs SET state = 'damaged' WHERE name = ? AND state = 'stored'", name);
  }

  addBlob(name: string, bytes: number): void {
    const sha = name.slice(0, 64);
    this.#sql.exec("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, 'stored', 0)", name, sha, bytes);
  }

  /**
   * The sweep's decision, in one step with the mark: what nothing refers to is `deleting` from here on. Also names
   * what an earlier sweep could not delete.
   */
  condemnUnmarked(now: number): string[] {
    const marked = this.#marked();
    const loose = this.#all(nameRow, "SELECT name FROM blobs WHERE pinned_until < ? ORDER BY name", now);
    const condemned = loose.map(({ name }) => name).filter((name) => !marked.has(name));
    for (const name of condemned) this.#sql.exec("UPDATE blobs SET state = 'deleting' WHERE name = ?", name);
    return condemned;
  }

  /** Every blob that a generation with a manifest refers to, trees included. */
  #marked(): Set<string> {
    const marked = new Set<string>();
    const trees = new Set(this.generations("any").flatMap((generation) => generation.trees));
    for (const tree of trees) {
      marked.add(tree);
      for (const blob of this.treeBlobs(tree) ?? []) marked.add(blob);
    }
    return marked;
  }

  forgetBlobs(names: readonly string[]): void {
    for (const name of names) {
      this.#sql.exec("DELETE FROM blobs WHERE name = ?", name);
      this.#sql.exec("DELETE FROM trees WHERE name = ?", name);
    }
  }

  blobTotals(): { blobs: number; bytes: number } {
    const { n, bytes } = this.#get(
      totalRow,
      "SELECT count(*) AS n, sum(bytes) AS bytes FROM blobs WHERE state = 'stored'",
    );
    return { blobs: n, bytes: bytes ?? 0 };
  }

  // Trees and generations

  setTree(name: string, entries: readonly Entry[]): void {
    const blobs = [...new Set(entries.flatMap(blobsOf))];
    this.#sql.exec("INSERT OR REPLACE INTO trees VALUES (?, ?)", name, JSON.stringify(blobs));
  }

  treeBlobs(name: string): string[] | undefined {
    const row = this.#one(treeRow, "SELECT blobs FROM trees WHERE name = ?", name);
    return row && namesSchema.parse(JSON.parse(row.blobs));
  }

  setGeneration(manifest: Manifest, state: GenerationRow["state"]): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO generations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      manifest.generation,
      manifest.at,
      manifest.reason,
      manifest.fence,
      manifest.shards,
      manifest.files,
      manifest.bytes,
      JSON.stringify(manifest.trees),
      state,
    );
  }

  setGenerationState(id: string, state: GenerationRow["state"]): void {
    this.#sql.exec("UPDATE generations SET state = ? WHERE id = ?", state, id);
  }

  forgetGeneration(id: string): void {
    this.#sql.exec("DELETE FROM generations WHERE id = ?", id);
  }

  generation(id: string): GenerationRow | undefined {
    return this.#one(generationRow, "SELECT * FROM generations WHERE id = ?", id);
  }

  /** Oldest first. */
  generations(state: GenerationRow["state"] | "any"): GenerationRow[] {
    const where = state === "any" ? "?1 = ?1" : "state = ?1";
    return this.#all(generationRow, `SELECT * FROM generations WHERE ${where} ORDER BY id`, state);
  }

  liveCount(): number {
    return this.#get(countRow, "SELECT count(*) AS n FROM generations WHERE state = 'live'").n;
  }

  #all<T>(schema: z.ZodType<T>, query: string, ...values: (string | number)[]): T[] {
    return [...this.#sql.exec(query, ...values)].map((row) => schema.parse(row));
  }

  #one<T>(schema: z.ZodType<T>, query: string, ...values: (string | number)[]): T | undefined {
    return this.#all(schema, query, ...values)[0];
  }

  #get<T>(schema: z.ZodType<T>, query: string, ...values: (string | number)[]): T {
    return schema.parse(this.#sql.exec(query, ...values).one());
  }
}
