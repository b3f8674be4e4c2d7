import { log } from "../core/log.ts";
import type { Ledger } from "./ledger.ts";
import { expired, type Retention } from "./retention.ts";
import type { MemoryStore } from "./store.ts";

/** A head put whose answer got lost may arrive so much later, at the most. Milliseconds. */
const UNSURE_FOR = 86_400_000;

/** Lets generations go, and then the blobs nothing refers to. May be stopped anywhere and run again. */
export async function sweep(
  store: MemoryStore,
  ledger: Ledger,
  { present, now, retention }: { present: string | undefined; now: number; retention: Retention },
): Promise<{ generations: number; blobs: number }> {
  for (const { id } of expired(ledger.generations("live"), now, retention)) {
    if (id !== present) ledger.setGenerationState(id, "expired");
  }
  for (const { id, at } of ledger.generations("unsure")) {
    if (id !== present && now - at > UNSURE_FOR) ledger.setGenerationState(id, "expired");
  }
  // The manifest first: while it may be there, what it names has to be there too.
  const gone = ledger.generations("expired");
  for (const { id } of gone) {
    await store.dropManifest(id);
    ledger.forgetGeneration(id);
  }
  const condemned = ledger.blobs.condemn(ledger.trees(), now);
  if (condemned.length > 0) {
    await store.dropBlobs(condemned);
    ledger.blobs.forget(condemned);
  }
  const outcome = { generations: gone.length, blobs: condemned.length };
  log("info", "memory.sweep", { outcome: "ok", ...outcome });
  return outcome;
}
