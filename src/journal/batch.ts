import { pause } from "../core/deadline.ts";
import type { Journal, JournalEntry } from "../core/journal.ts";
import { log } from "../core/log.ts";
import type { JournalAccess } from "./access.ts";

/** Entries of this long are written together: writing each by itself costs a busy Worker a tenth of its throughput. */
const GATHER_MS = 200;
/** After this the request that was to write them is taken for dead, and the next one does it. */
const STALE_MS = 5_000;

/** The journal as one request sees it; `waitUntil` is the request's own and keeps it alive until the entries are written. */
type JournalOf = (object: Pick<JournalAccess, "record">, waitUntil: (work: Promise<void>) => void) => Journal;

/** One for each isolate: what its requests have to write, gathered. The first to have something writes for all. */
export function journalBatch(): JournalOf {
  let gathered: JournalEntry[] = [];
  let since = 0;
  return (object, waitUntil) => {
    async function write(): Promise<void> {
      await pause(GATHER_MS);
      const entries = gathered;
      gathered = [];
      await object.record(entries).catch((cause: unknown) => {
        log("error", "journal.record", { outcome: "unavailable", entries: entries.length, cause });
      });
    }
    return (entry) => {
      gathered.push(entry);
      const now = Date.now();
      if (gathered.length > 1 && now - since < STALE_MS) return;
      since = now;
      waitUntil(write());
    };
  };
}
