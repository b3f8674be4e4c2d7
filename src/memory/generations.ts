import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { encodeBlob, sha256, shardOf } from "./codec.ts";
import {
  blobsOf,
  type Entry,
  FORMAT,
  generationOf,
  type Manifest,
  MOST_FILES,
  type Reason,
  shardCount,
} from "./format.ts";
import type { ImportedTrees } from "./access.ts";
import type { Ledger } from "./ledger.ts";
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
    const totals = this.#ledger.totalsAfterStaged();
    if (totals.files > MOST_FILES) {
      throw new Failure("too_large", `The memory holds at most ${MOST_FILES} files; there would be ${totals.files}.`, {
        hint: "Pack some into an archive, or move them to the folder for large files.",
      });
    }
    const shards = shardCount(totals.files);
    const resharded = before?.shards !== shards;
    const trees = await this.#writeTrees(before, shards, resharded, facts.now);
    return await this.#publish({ ...totals, ...facts, shards, trees }, () =>
      this.#ledger.applyStaged(shards, resharded),
    );
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
    const read = new Map<string, Entry[]>();
    for (const tree of trees) read.set(tree, await this.#store.tree(tree));
    const entries = [...read.values()].flat();
    // From this check until the generation is noted as unsure nothing is awaited, so no sweep comes in between.
    const lost = [...trees, ...entries.flatMap(blobsOf)].find((name) => this.#ledger.blobState(name) !== "stored");
    if (lost !== undefined) {
      throw new Failure("upstream", `${what} needs the blob ${lost}, which is missing or damaged.`, {
        hint: facts.reason === "import" ? "Import the archive again." : "Choose another generation.",
      });
    }
    for (const [tree, of] of read) this.#ledger.setTree(tree, of);
    const bytes = entries.reduce((sum, entry) => sum + ("size" in entry ? entry.size : 0), 0);
    return await this.#publish({ files: entries.length, bytes, shards, trees: [...trees], ...facts }, () => {
      this.#ledger.dropStaged();
      this.#ledger.dropEntries();
      this.#ledger.setEntries(entries, shards);
    });
  }

  /** Fills the ledger from R2 alone. */
  async rebuild(): Promise<void> {
    const present = await this.#store.head();
    const found: { manifest: Manifest; trees: Map<string, Entry[]> }[] = [];
    const read = new Set<string>();
    for (const id of await this.#store.generations()) {
      try {
        const manifest = await this.#store.manifest(id);
        const trees = new Map<string, Entry[]>();
        for (const tree of manifest.trees) {
          if (!read.has(tree)) trees.set(tree, await this.#store.tree(tree));
          read.add(tree);
        }
        found.push({ manifest, trees });
      } catch (error) {
        const gone = error instanceof Failure && error.code !== "unavailable" && id !== present?.head.generation;
        if (!gone) throw error;
        // An older generation that is damaged does not take the others with it.
        log("error", "memory.rebuild", { outcome: "damaged", generation: id, cause: error });
      }
    }
    const blobs: { name: string; bytes: number }[] = [];
    for await (const blob of this.#store.blobs()) blobs.push(blob);
    const fence = Math.max(0, ...found.map(({ manifest }) => manifest.fence), present?.head.fence ?? 0);
    const last = Math.max(0, ...found.map(({ manifest }) => Number(manifest.generation)));
    this.#ledger.atomically(() => {
      this.#ledger.clear();
      this.#ledger.setFact("fence", String(fence));
      this.#ledger.setFact("last", String(last));
      for (const { name, bytes } of blobs) this.#ledger.addBlob(name, bytes);
      for (const { manifest, trees } of found) {
        for (const [name, entries] of trees) this.#ledger.setTree(name, entries);
        this.#ledger.setGeneration(manifest, "live");
      }
    });
    if (present) await this.#adopt(present);
    log("info", "memory.rebuild", { outcome: "ok", generations: found.length, blobs: blobs.length });
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
    const entries: Entry[] = [];
    for (const tree of manifest.trees) {
      for (const entry of await this.#store.tree(tree)) entries.push(entry);
    }
    this.#ledger.atomically(() => {
      this.#ledger.dropEntries();
      this.#ledger.setEntries(entries, manifest.shards);
      this.#ledger.setGeneration(manifest, "live");
      this.#ledger.setFact("head", manifest.generation);
    });
  }

  /** Everything the staged entries refer to has to be there. */
  #checkStaged(): void {
    const absent = new Set<string>();
    for (const { entry } of this.#ledger.staged()) {
      for (const name of entry ? blobsOf(entry) : []) {
        if (this.#ledger.blobState(name) !== "stored") absent.add(name);
      }
    }
    if (absent.size === 0) return;
    const [first] = absent;
    throw new Failure("invalid_input", `${absent.size} blobs were not uploaded, ${first} for one.`, {
      hint: "Ask which are wanted, upload them, commit again.",
    });
  }

  async #writeTrees(before: Manifest | undefined, shards: number, all: boolean, now: number): Promise<string[]> {
    const trees = all || !before ? Array.from({ length: shards }, () => "") : [...before.trees];
    const touched = new Set(all ? trees.keys() : this.#ledger.staged().map(({ path }) => shardOf(path, shards)));
    const waiting = [...touched];
    while (waiting.length > 0) {
      const batch = waiting.splice(0, AT_ONCE);
      await Promise.all(
        batch.map(async (shard) => {
          trees[shard] = await this.#writeTree([...this.#ledger.entriesAfterStaged(shard, shards, all)], now);
        }),
      );
    }
    return trees;
  }

  async #writeTree(entries: Entry[], now: number): Promise<string> {
    const content = new TextEncoder().encode(JSON.stringify(entries));
    const sha = sha256(content);
    const name = this.#ledger.usableBlob(sha) ?? this.#ledger.reserveBlob(sha);
    this.#ledger.pin(name, now + PIN_MS);
    this.#ledger.setTree(name, entries);
    if (this.#ledger.blobState(name) === "stored") return name;
    const stored = encodeBlob(content);
    await this.#store.putBlob(name, stored);
    this.#ledger.setStored(name, stored.byteLength);
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
