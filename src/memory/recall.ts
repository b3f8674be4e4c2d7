import { pause } from "../core/deadline.ts";
import { log } from "../core/log.ts";
import type { MemoryFile, MemoryReader, SearchRequest } from "./access.ts";
import type { Entry, FileEntry } from "./format.ts";
import type { Ledger } from "./ledger.ts";
import { entriesOf, findEntry, isReadable, noFile, readablePath, readEntry } from "./reading.ts";
import { catchUp } from "./search/catch-up.ts";
import type { Hit } from "./search/hit.ts";
import { SearchIndex } from "./search/index.ts";
import type { MemoryStore } from "./store.ts";

/** A search waits for the index to catch up, but no longer. */
const INDEX_WITHIN_MS = 2_000;

/** What is read of the memory without the container: by search, by path, as a list. */
export class Recall {
  readonly #ledger: Ledger;
  readonly #store: () => MemoryStore;
  readonly #index: SearchIndex;
  #indexing: Promise<void> | undefined;
  /** The version of the present entries that the index is in line with: to look through all of them takes longer than a search. */
  #indexed: number | undefined;

  constructor(storage: DurableObjectStorage, ledger: Ledger, store: () => MemoryStore) {
    this.#ledger = ledger;
    this.#store = store;
    this.#index = new SearchIndex(storage);
  }

  /** Brings the index in line with what was committed. What fails is tried again at the next commit or search. */
  catchUp(): Promise<void> {
    if (this.#indexed === this.#ledger.entries.version) return Promise.resolve();
    this.#indexing ??= this.#catchUp().finally(() => {
      this.#indexing = undefined;
    });
    return this.#indexing;
  }

  async #catchUp(): Promise<void> {
    try {
      this.#indexed = await catchUp(this.#index, this.#ledger, this.#store());
    } catch (cause) {
      log("warn", "memory.index", { cause });
    }
  }

  /** Everything is indexed anew. */
  forget(): void {
    this.#indexed = undefined;
    this.#index.clear();
  }

  async search({ reader, query, limit, kinds, since }: SearchRequest): Promise<{ hits: Hit[]; behind: boolean }> {
    const late = pause(INDEX_WITHIN_MS).then(() => true);
    const behind = await Promise.race([this.catchUp().then(() => false), late]);
    return { hits: this.#index.search(query, { limit, kinds, since, reader }), behind };
  }

  async read({
    reader,
    path: given,
    generation,
    offset,
    limit,
  }: Parameters<MemoryReader["read"]>[0]): Promise<MemoryFile & { bytes: Uint8Array }> {
    const path = readablePath(given, reader);
    const store = this.#store();
    const entry = await findEntry(path, generation, this.#ledger, store);
    if (!entry || !isFile(entry)) throw noFile(path);
    const bytes = await readEntry(entry, { offset, limit }, (name) => store.blob(name));
    return { path, size: entry.size, modified: entry.modified, bytes };
  }

  async list({
    reader,
    prefix,
    generation,
    after,
    limit,
  }: Parameters<MemoryReader["list"]>[0]): Promise<{ files: MemoryFile[]; more: boolean }> {
    const wanted = (entry: Entry): entry is FileEntry => isFile(entry) && isReadable(entry.path, reader);
    const entries =
      generation === undefined
        ? this.#ledger.entries.under(prefix, after)
        : await entriesOf(generation, { prefix, after, most: limit + 1, wanted }, this.#ledger, this.#store());
    const files: MemoryFile[] = [];
    for (const entry of entries) {
      if (!wanted(entry)) continue;
      if (files.length === limit) return { files, more: true };
      files.push({ path: entry.path, size: entry.size, modified: entry.modified });
    }
    return { files, more: false };
  }
}

function isFile(entry: Entry): entry is FileEntry {
  return entry.kind === "file" || entry.kind === "database";
}
