import { pause } from "../../core/deadline.ts";
import { Failure } from "../../core/failure.ts";
import { log } from "../../core/log.ts";
import type { FileEntry } from "../format.ts";
import type { Ledger } from "../ledger.ts";
import { readEntry } from "../reading.ts";
import type { MemoryStore } from "../store.ts";
import type { SearchIndex } from "./index.ts";

/** A longer file is found by its name only. Bytes. */
const MOST_TEXT_BYTES = 4 * 1024 * 1024;
const FILES_AT_ONCE = 200;
const BYTES_AT_ONCE = 64 * 1024;
/** What a file costs beside its text, in bytes of text. */
const FILE_BYTES = 512;
/** Neighbours are often in the same pack; more than a few would not fit into the object's memory. */
const BLOBS_KEPT = 4;

/**
 * Brings the index in line with the present entries: what changed is read from R2, each blob once. Goes on where it was. Returns which
 * version of them it is in line with.
 */
export async function catchUp(index: SearchIndex, ledger: Ledger, store: MemoryStore): Promise<number> {
  for (let after = ""; ;) {
    if (after === "") for (const path of index.gone()) index.remove(path);
    const entries: FileEntry[] = [];
    for (const path of index.stale(after, FILES_AT_ONCE)) {
      const entry = ledger.entries.entry(path);
      if (entry?.kind === "file" || entry?.kind === "database") entries.push(entry);
    }
    const last = entries.at(-1);
    // What was committed meanwhile may lie before what was looked at: it is done once there was nothing from the first on.
    if (last === undefined && after === "") return ledger.entries.version;
    after = last?.path ?? "";
    const blob = lastFew((name) => store.blob(name));
    let since = 0;
    for (const entry of entries) {
      // Whatever else the object is asked for comes in between; more often would only cost commits to its storage.
      if (since > BYTES_AT_ONCE) await pause(0);
      since = since > BYTES_AT_ONCE ? 0 : since + entry.size + FILE_BYTES;
      const isText = entry.kind === "file" && entry.size <= MOST_TEXT_BYTES;
      try {
        const bytes = isText ? await readEntry(entry, { offset: 0, limit: entry.size }, blob) : undefined;
        index.set(entry, bytes && text(bytes));
      } catch (error) {
        if (!(error instanceof Failure) || error.code === "unavailable") throw error;
        // One damaged file does not keep the others from being found.
        log("error", "memory.index", { path: entry.path, cause: error });
        index.set(entry, undefined);
      }
    }
  }
}

function lastFew(read: (name: string) => Promise<Uint8Array>): (name: string) => Promise<Uint8Array> {
  const kept = new Map<string, Promise<Uint8Array>>();
  return (name) => {
    const reading = kept.get(name) ?? read(name);
    kept.delete(name);
    kept.set(name, reading);
    const [oldest] = kept.keys();
    if (kept.size > BLOBS_KEPT && oldest !== undefined) kept.delete(oldest);
    return reading;
  };
}

function text(bytes: Uint8Array): string | undefined {
  try {
    const decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    // Not a text.
    return undefined;
  }
}
