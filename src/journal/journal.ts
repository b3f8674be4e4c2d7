import type { Journal } from "../core/journal.ts";
import { log } from "../core/log.ts";
import type { JournalAccess } from "./access.ts";

/** The journal for one request, whose `waitUntil` keeps it alive until the entry is written. */
export function journalOf(object: Pick<JournalAccess, "record">, waitUntil: (work: Promise<void>) => void): Journal {
  return (entry) => {
    const written = object.record([entry]).catch((cause: unknown) => {
      log("error", "journal.record", { outcome: "unavailable", action: entry.action, cause });
    });
    waitUntil(written);
  };
}
