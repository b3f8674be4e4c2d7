import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { blobsOf, type Manifest } from "./format.ts";
import type { Ledger } from "./ledger.ts";
import type { MemoryStore, PlacedHead } from "./store.ts";

/** What the bucket tells, the entries of the generations aside. */
export interface Told {
  present: PlacedHead | undefined;
  /** Oldest first, each with all of its trees. */
  generations: Manifest[];
  /** By tree, the blobs it names. */
  trees: Map<string, string[]>;
  blobs: { name: string; bytes: number }[];
}

/** Reads the whole bucket. An older generation that is damaged is left out; the present one has to be whole. */
export async function readBucket(store: MemoryStore): Promise<Told> {
  const present = await store.head();
  const generations: Manifest[] = [];
  const trees = new Map<string, string[]>();
  for (const id of await store.generations()) {
    try {
      const manifest = await store.manifest(id);
      for (const tree of manifest.trees) {
        if (trees.has(tree)) continue;
        trees.set(tree, [...new Set((await store.tree(tree)).flatMap(blobsOf))]);
      }
      generations.push(manifest);
    } catch (error) {
      const gone = error instanceof Failure && error.code !== "unavailable" && id !== present?.head.generation;
      if (!gone) throw error;
      // It does not take the others with it.
      log("error", "memory.rebuild", { outcome: "damaged", generation: id, cause: error });
    }
  }
  const blobs: { name: string; bytes: number }[] = [];
  for await (const blob of store.blobs()) blobs.push(blob);
  return { present, generations, trees, blobs };
}

/**
 * Fills the ledger anew, the present entries aside. What the bucket does not tell, a ledger that is there keeps: numbers that were
 * used up, and names that must not be used again.
 */
export function refill(ledger: Ledger, { present, generations, trees, blobs }: Told): void {
  const [fence, last] = [ledger.fact("fence"), ledger.fact("last")];
  ledger.clear();
  // Starts that have committed nothing have left no trace in R2. The time is a larger number than any count of starts.
  const unknown = generations.length > 0 ? Date.now() : 0;
  const fences = [Number(fence ?? unknown), present?.head.fence ?? 0, ...generations.map((each) => each.fence)];
  const numbers = [last, present?.head.generation, ...generations.map(({ generation }) => generation)];
  ledger.setFact("fence", String(Math.max(...fences)));
  ledger.setFact("last", String(Math.max(...numbers.map((number) => Number(number ?? 0)))));
  for (const { name, bytes } of blobs) ledger.blobs.add(name, bytes);
  for (const manifest of generations) {
    for (const tree of manifest.trees) ledger.blobs.setTree(tree, trees.get(tree) ?? []);
    ledger.setGeneration(manifest, "live");
  }
}
