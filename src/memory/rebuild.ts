import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { blobsOf, type Manifest } from "./format.ts";
import type { Ledger } from "./ledger.ts";
import type { MemoryStore, PlacedHead } from "./store.ts";

/**
 * Fills the ledger from R2 alone, the present entries aside. Resolves with the head. What the bucket does not tell, a ledger that
 * is there keeps: numbers that were used up, and names that must not be used again.
 */
export async function rebuild(store: MemoryStore, ledger: Ledger): Promise<PlacedHead | undefined> {
  const present = await store.head();
  const found: Manifest[] = [];
  /** By tree, the blobs it names. */
  const read = new Map<string, string[]>();
  for (const id of await store.generations()) {
    try {
      const manifest = await store.manifest(id);
      for (const tree of manifest.trees) {
        if (read.has(tree)) continue;
        read.set(tree, [...new Set((await store.tree(tree)).flatMap(blobsOf))]);
      }
      found.push(manifest);
    } catch (error) {
      const gone = error instanceof Failure && error.code !== "unavailable" && id !== present?.head.generation;
      if (!gone) throw error;
      // An older generation that is damaged does not take the others with it.
      log("error", "memory.rebuild", { outcome: "damaged", generation: id, cause: error });
    }
  }
  const blobs: { name: string; bytes: number }[] = [];
  for await (const blob of store.blobs()) blobs.push(blob);
  ledger.atomically(() => {
    const { fence, last } = counts(ledger, found, present);
    ledger.clear();
    ledger.setFact("fence", String(fence));
    ledger.setFact("last", String(last));
    for (const { name, bytes } of blobs) ledger.blobs.add(name, bytes);
    for (const manifest of found) {
      for (const tree of manifest.trees) ledger.blobs.setTree(tree, read.get(tree) ?? []);
      ledger.setGeneration(manifest, "live");
    }
  });
  log("info", "memory.rebuild", { outcome: "ok", generations: found.length, blobs: blobs.length });
  return present;
}

/** Neither goes back. */
function counts(ledger: Ledger, found: readonly Manifest[], present: PlacedHead | undefined) {
  const [fence, last] = [ledger.fact("fence"), ledger.fact("last")];
  return {
    // Starts that have committed nothing have left no trace in R2. The time is a larger number than any count of starts.
    fence: Math.max(
      Number(fence ?? (found.length > 0 ? Date.now() : 0)),
      ...found.map((manifest) => manifest.fence),
      present?.head.fence ?? 0,
    ),
    last: Math.max(
      Number(last ?? 0),
      ...found.map(({ generation }) => Number(generation)),
      Number(present?.head.generation ?? 0),
    ),
  };
}
