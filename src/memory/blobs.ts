import { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { Tables } from "./tables.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS blobs (
    name TEXT PRIMARY KEY, sha TEXT NOT NULL, bytes INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'stored', 'deleting', 'damaged')), pinned_until INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS blobs_by_sha ON blobs (sha);
  CREATE TABLE IF NOT EXISTS trees (name TEXT PRIMARY KEY, blobs TEXT NOT NULL) WITHOUT ROWID;
`;

const namesSchema = z.array(z.string());
const nameRow = z.object({ name: z.string() });
const totalRow = z.object({ n: z.number(), bytes: z.number().nullable() });
const blobRow = z.object({ name: z.string(), state: z.enum(["pending", "stored", "deleting", "damaged"]) });
const treeRow = z.object({ blobs: z.string().transform((text) => namesSchema.parse(JSON.parse(text))) });

/** The blobs of the bucket, and which of them each tree names. */
export class Blobs {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
    tables.run(SCHEMA);
  }

  /** All is forgotten but the names that must not be used again: a delete of theirs may still be on its way. */
  clear(): void {
    this.#tables.run("DELETE FROM blobs WHERE state NOT IN ('deleting', 'damaged')");
    this.#tables.run("DELETE FROM trees");
  }

  /** The blob under which this content can be referred to, if there is one. */
  usable(sha: string): string | undefined {
    return this.#tables.one(
      nameRow,
      "SELECT name FROM blobs WHERE sha = ? AND state = 'stored' ORDER BY name DESC LIMIT 1",
      sha,
    )?.name;
  }

  /** A name for an upload of this content: the one that was given out before, or one that was never used. */
  reserve(sha: string): string {
    const rows = this.#tables.all(blobRow, "SELECT name, state FROM blobs WHERE sha = ?", sha);
    const pending = rows.find(({ state }) => state === "pending");
    if (pending) return pending.name;
    const numbers = rows.map(({ name }) => Number(name.split(".")[1] ?? 0));
    const name = rows.length === 0 ? sha : `${sha}.${Math.max(...numbers) + 1}`;
    this.#tables.run("INSERT INTO blobs VALUES (?, ?, 0, 'pending', 0)", name, sha);
    return name;
  }

  pin(name: string, until: number): void {
    this.#tables.run("UPDATE blobs SET pinned_until = max(pinned_until, ?) WHERE name = ?", until, name);
  }

  state(name: string): z.output<typeof blobRow>["state"] | undefined {
    return this.#tables.one(blobRow, "SELECT name, state FROM blobs WHERE name = ?", name)?.state;
  }

  setStored(name: string, bytes: number): void {
    this.#tables.run("UPDATE blobs SET state = 'stored', bytes = ? WHERE name = ? AND state = 'pending'", bytes, name);
  }

  setDamaged(name: string): void {
    this.#tables.run("UPDATE blobs SET state = 'damaged' WHERE name = ? AND state = 'stored'", name);
  }

  /** One that was found in the bucket. */
  add(name: string, bytes: number): void {
    this.#tables.run("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, 'stored', 0)", name, name.slice(0, 64), bytes);
  }

  /**
   * The sweep's decision, in one step with the mark: what no tree of `trees` names is `deleting` from here on. Also names
   * what an earlier sweep could not delete.
   */
  condemn(trees: Iterable<string>, now: number): string[] {
    const marked = this.#marked(trees);
    const loose = this.#tables.all(nameRow, "SELECT name FROM blobs WHERE pinned_until < ? ORDER BY name", now);
    const condemned = loose.map(({ name }) => name).filter((name) => !marked.has(name));
    for (const name of condemned) this.#tables.run("UPDATE blobs SET state = 'deleting' WHERE name = ?", name);
    return condemned;
  }

  /** The trees and every blob that they name. */
  #marked(trees: Iterable<string>): Set<string> {
    const marked = new Set<string>();
    for (const tree of trees) {
      const named = this.ofTree(tree);
      // To take it for one that names nothing would delete what it names.
      if (!named) throw new Failure("internal", `What the tree ${tree} names is not known; nothing is deleted.`);
      marked.add(tree);
      for (const blob of named) marked.add(blob);
    }
    return marked;
  }

  forget(names: readonly string[]): void {
    for (const name of names) {
      this.#tables.run("DELETE FROM blobs WHERE name = ?", name);
      this.#tables.run("DELETE FROM trees WHERE name = ?", name);
    }
  }

  totals(): { blobs: number; bytes: number } {
    const { n, bytes } = this.#tables.get(
      totalRow,
      "SELECT count(*) AS n, sum(bytes) AS bytes FROM blobs WHERE state = 'stored'",
    );
    return { blobs: n, bytes: bytes ?? 0 };
  }

  setTree(name: string, blobs: readonly string[]): void {
    this.#tables.run("INSERT OR REPLACE INTO trees VALUES (?, ?)", name, JSON.stringify(blobs));
  }

  ofTree(name: string): string[] | undefined {
    return this.#tables.one(treeRow, "SELECT blobs FROM trees WHERE name = ?", name)?.blobs;
  }
}
