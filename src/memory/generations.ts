import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { encodeBlob, sha256 } from "./codec.ts";
import {
  blobsOf,
  FORMAT,
  generationOf,
  type Manifest,
  MOST_BLOB_BYTES,
  MOST_FILES,
  type Reason,
  shardCount,
} from "./format.ts";
import type { ImportedTrees } from "./access.ts";
import type { Ledger } from "./ledger.ts";
import { readBucket, refill } from "./rebuild.ts";
import type { MemoryStore, PlacedHead } from "./store.ts";

/** Blobs that were asked for or uploaded, but are in no generation yet, are safe from the sweep for so long. */
export const PIN_MS = 3_600_000;
/** Trees written at a time. */
const AT_ONCE = 8;

/** How generations come to be: the order of writing that leaves the head whole whatever fails. */
export class Generations {
  readonly #store: MemoryStore;
  readonly #ledger: Ledger;
  #present: PlacedHead | undefined;
  #known = false;

  constructor(store: MemoryStore, ledger: Ledger) {
    this.#store = store;
    this.#ledger = ledger;
  }

  /** The present generation; undefined for a bot without a memory. `afresh`: whatever is remembered, asks R2. */
  async present(afresh = false): Promise<Manifest | undefined> {
    if (!this.#known || afresh) await this.#meet();
    const id = this.#present?.head.generation;
    return id === undefined ? undefined : this.#manifestOf(id);
  }

  /** Commits what is staged in the ledger as the next generation. */
  async commit(base: string | null, facts: { fence: number; reason: Reason; now: number }): Promise<Manifest> {
    const before = await this.present();
    if ((before?.generation ?? null) !== base) throw moved(before?.generation);
    this.#checkStaged();
    const totals = this.#ledger.entries.totalsAfterStaged(before ?? { files: 0, bytes: 0 });
    if (totals.files > MOST_FILES) {
      throw new Failure("too_large", `The memory holds at most ${MOST_FILES} files; there would be ${totals.files}.`, {
        hint: "Pack some into an archive, or move them to the folder for large files.",
      });
    }
    const shards = shardCount(totals);
    const trees = await this.#writeTrees(before, shards, facts.now);
    return await this.#publish({ ...totals, ...facts, shards, trees }, () => this.#ledger.entries.applyStaged());
  }

  /** Makes an older generation's content the present one, as a new generation. */
  async putBack(id: string, facts: { fence: number; now: number }): Promise<Manifest> {
    const target = this.#ledger.generation(id);
    if (target?.state !== "live") {
      throw new Failure("not_found", `There is no generation ${id}.`, { hint: "memory_generations lists them." });
    }
    return await this.#takeOver(target, `Generation ${id}`, { ...facts, reason: "restore" });
  }

  /** Makes content that was stored without a generation the present one. */
  async takeIn(content: ImportedTrees, facts: { fence: number; now: number }): Promise<Manifest> {
    return await this.#takeOver(content, "The import", { ...facts, reason: "import" });
  }

  async #takeOver(
    { shards, trees }: { shards: number; trees: readonly string[] },
    what: string,
    facts: { fence: number; now: number; reason: Reason },
  ): Promise<Manifest> {
    const named = await this.#receive(trees);
    // From this check until the generation is noted as unsure nothing is awaited, so no sweep comes in between.
    const lost = [...trees, ...[...named.values()].flat()].find((name) => this.#ledger.blobs.state(name) !== "stored");
    if (lost !== undefined) {
      throw new Failure("upstream", `${what} needs the blob ${lost}, which is missing or damaged.`, {
        hint: facts.reason === "import" ? "Import the archive again." : "Choose another generation.",
      });
    }
    for (const [tree, blobs] of named) this.#ledger.blobs.setTree(tree, blobs);
    const totals = this.#ledger.entries.received();
    return await this.#publish({ ...totals, shards, trees: [...trees], ...facts }, () => {
      this.#ledger.entries.dropStaged();
      this.#ledger.entries.applyReceived();
    });
  }

  /** Reads the trees into the ledger, one at a time: all of them may be more than fits into memory. Resolves with the blobs of each. */
  async #receive(trees: readonly string[]): Promise<Map<string, string[]>> {
    this.#ledger.entries.dropReceived();
    const named = new Map<string, string[]>();
    for (const tree of trees) {
      const entries = await this.#store.tree(tree);
      this.#ledger.entries.receive(entries);
      named.set(tree, [...new Set(entries.flatMap(blobsOf))]);
    }
    return named;
  }

  /** Fills the ledger from R2 alone; until all of it is read, the ledger stays as it is. */
  async rebuild(): Promise<void> {
    const told = await readBucket(this.#store);
    const id = told.present?.head.generation;
    const manifest = told.generations.find(({ generation }) => generation === id);
    await this.#receive(manifest?.trees ?? []);
    this.#ledger.atomically(() => {
      refill(this.#ledger, told);
      if (manifest) this.#makePresent(manifest);
    });
    log("info", "memory.rebuild", { outcome: "ok", generations: told.generations.length, blobs: told.blobs.length });
  }

  /** Asks R2 for the head, and brings the ledger in line with it. */
  async #meet(): Promise<void> {
    this.#known = false;
    const placed = await this.#store.head();
    this.#present = placed;
    const remembered = this.#ledger.fact("head");
    if (placed === undefined) {
      if (remembered !== undefined || (await this.#store.generations()).length > 0) {
        if (this.#ledger.liveCount() === 0) await this.rebuild();
        throw new Failure("upstream", "The memory's object head.json is missing, but there are generations.", {
          hint: "Put one back: memory_generations lists them, memory_restore puts one back.",
        });
      }
    } else if (remembered !== placed.head.generation) {
      if (this.#ledger.generation(placed.head.generation)) await this.#adopt(placed);
      else await this.rebuild();
    }
    this.#known = true;
  }

  /** A head that moved without the ledger's noticing: the answer to the put got lost. */
  async #adopt(placed: PlacedHead): Promise<void> {
    const manifest = await this.#store.manifest(placed.head.generation);
    await this.#receive(manifest.trees);
    this.#ledger.atomically(() => this.#makePresent(manifest));
  }

  /** Whose entries were received. */
  #makePresent(manifest: Manifest): void {
    this.#ledger.entries.applyReceived();
    this.#ledger.setGeneration(manifest, "live");
    this.#ledger.setFact("head", manifest.generation);
  }

  /** Everything the staged entries refer to has to be there. */
  #checkStaged(): void {
    const { n, first } = this.#ledger.entries.absentBlobs();
    if (n === 0) return;
    throw new Failure("invalid_input", `${n} blobs were not uploaded, ${first} for one.`, {
      hint: "Ask which are wanted, upload them, commit again.",
    });
  }

  async #writeTrees(before: Manifest | undefined, shards: number, now: number): Promise<string[]> {
    const all = before?.shards !== shards;
    const trees = all ? Array.from({ length: shards }, () => "") : [...before.trees];
    const waiting = all ? [...trees.keys()] : this.#ledger.entries.touchedShards(shards);
    while (waiting.length > 0) {
      const batch = waiting.splice(0, AT_ONCE);
      await Promise.all(
        batch.map(async (shard) => {
          trees[shard] = await this.#writeTree(this.#ledger.entries.treeAfterStaged(shard, shards), now);
        }),
      );
    }
    return trees;
  }

  async #writeTree(tree: { content: string; blobs: string[] }, now: number): Promise<string> {
    const content = new TextEncoder().encode(tree.content);
    if (content.byteLength > MOST_BLOB_BYTES) {
      throw new Failure("too_large", "The memory's files are too many and too large to be listed.", {
        hint: "Move the largest to the folder for large files.",
      });
    }
    const { blobs } = this.#ledger;
    const sha = sha256(content);
    const name = blobs.usable(sha) ?? blobs.reserve(sha);
    blobs.pin(name, now + PIN_MS);
    blobs.setTree(name, tree.blobs);
    if (blobs.state(name) === "stored") return name;
    const stored = encodeBlob(content);
    await this.#store.putBlob(name, stored);
    blobs.setStored(name, stored.byteLength);
    return name;
  }

  /** Manifest first, then the head. On the way the generation is `unsure`, which keeps its blobs from the sweep. */
  async #publish(
    facts: Omit<Manifest, "format" | "generation" | "parent" | "at"> & { now: number },
    apply: () => void,
  ): Promise<Manifest> {
    const { now, ...rest } = facts;
    const last = Number(this.#ledger.fact("last") ?? 0) + 1;
    this.#ledger.setFact("last", String(last));
    const generation = generationOf(last);
    const parent = this.#present?.head.generation ?? null;
    const manifest: Manifest = { format: FORMAT, generation, parent, at: now, ...rest };
    this.#ledger.setGeneration(manifest, "unsure");
    await this.#store.putManifest(manifest);
    this.#present = await this.#moveHead(manifest);
    this.#ledger.atomically(() => {
      this.#ledger.setGeneration(manifest, "live");
      this.#ledger.setFact("head", generation);
      apply();
    });
    return manifest;
  }

  async #moveHead({ generation, fence, at }: Manifest): Promise<PlacedHead> {
    const head = { format: FORMAT, generation, fence, at } as const;
    // From here on it is not known what the head is, until R2 says so.
    this.#known = false;
    try {
      const etag = await this.#store.moveHead(head, this.#present?.etag);
      if (etag !== undefined) {
        this.#known = true;
        return { head, etag };
      }
    } catch (error) {
      // The answer may be lost and the head moved all the same.
      const placed = await this.#store.head().catch(() => undefined);
      if (placed?.head.generation !== generation) throw error;
      this.#known = true;
      return placed;
    }
    this.#ledger.setGenerationState(generation, "expired");
    throw moved(undefined);
  }

  #manifestOf(id: string): Manifest {
    const row = this.#ledger.generation(id);
    if (!row) throw new Failure("internal", `The present generation ${id} is not in the ledger.`);
    const { at, fence, reason, shards, trees, files, bytes } = row;
    return { format: FORMAT, generation: id, parent: null, at, fence, reason, shards, trees, files, bytes };
  }
}

function moved(present: string | undefined): Failure {
  return new Failure("conflict", "The memory's present generation is another one than the commit changes.", {
    hint: present === undefined ? "Ask for the head again." : `It is ${present}.`,
  });
}
