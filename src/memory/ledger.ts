import { z } from "zod";
import { Blobs } from "./blobs.ts";
import { Entries } from "./entries.ts";
import { type Manifest, REASONS } from "./format.ts";
import { Tables } from "./tables.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
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

const countRow = z.object({ n: z.number() });
const factRow = z.object({ value: z.string() });

/** `fence`, `head` and `last` are what docs/storage.md calls so; `lag` and `report` are what the status says. */
type Fact = "fence" | "head" | "last" | "lag" | "report";

/** The memory object's own tables: what is in the bucket, and the present generation's entries. */
export class Ledger {
  readonly entries: Entries;
  readonly blobs: Blobs;
  readonly #tables: Tables;

  constructor(storage: DurableObjectStorage) {
    this.#tables = new Tables(storage);
    this.#tables.run(SCHEMA);
    this.entries = new Entries(this.#tables);
    this.blobs = new Blobs(this.#tables);
  }

  atomically(changes: () => void): void {
    this.#tables.atomically(changes);
  }

  fact(name: Fact): string | undefined {
    return this.#tables.one(factRow, "SELECT value FROM facts WHERE name = ?", name)?.value;
  }

  setFact(name: Fact, value: string): void {
    this.#tables.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value);
  }

  clear(): void {
    for (const table of ["facts", "generations"]) this.#tables.run(`DELETE FROM ${table}`);
    this.entries.clear();
    this.blobs.clear();
  }

  setGeneration(manifest: Manifest, state: GenerationRow["state"]): void {
    this.#tables.run(
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
    this.#tables.run("UPDATE generations SET state = ? WHERE id = ?", state, id);
  }

  forgetGeneration(id: string): void {
    this.#tables.run("DELETE FROM generations WHERE id = ?", id);
  }

  generation(id: string): GenerationRow | undefined {
    return this.#tables.one(generationRow, "SELECT * FROM generations WHERE id = ?", id);
  }

  /** Oldest first. */
  generations(state: GenerationRow["state"] | "any"): GenerationRow[] {
    const where = state === "any" ? "?1 = ?1" : "state = ?1";
    return this.#tables.all(generationRow, `SELECT * FROM generations WHERE ${where} ORDER BY id`, state);
  }

  liveCount(): number {
    return this.#tables.get(countRow, "SELECT count(*) AS n FROM generations WHERE state = 'live'").n;
  }

  /** Of every generation that has, or may have, a manifest. */
  trees(): Set<string> {
    return new Set(this.generations("any").flatMap(({ trees }) => trees));
  }
}
