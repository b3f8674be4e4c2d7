import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import { decodeBlob } from "./codec.ts";
import {
  BLOB_PREFIX,
  blobKey,
  type Entry,
  type Head,
  HEAD_KEY,
  headSchema,
  type Manifest,
  MANIFEST_PREFIX,
  manifestKey,
  manifestSchema,
  treeSchema,
} from "./format.ts";

/** R2 answers within milliseconds; whoever waits for it holds up all others. */
const ANSWERS_WITHIN_MS = 15_000;
/** Keys that one R2 delete may name. */
const DELETED_AT_ONCE = 500;

export interface PlacedHead {
  head: Head;
  /** What the next move of the head has to find. */
  etag: string;
}

/** The bucket, in the words of the format. Every failure names the object it is about. */
export class MemoryStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  /** Undefined only when R2 says that there is none. */
  async head(): Promise<PlacedHead | undefined> {
    const object = await this.#ask(HEAD_KEY, () => this.#bucket.get(HEAD_KEY));
    if (object === null) return undefined;
    const head = headSchema.safeParse(await this.#ask(HEAD_KEY, () => object.json()));
    if (!head.success) throw damaged(HEAD_KEY);
    return { head: head.data, etag: object.etag };
  }

  /** Undefined when the head is no longer the one with this etag; without an etag: when there is one already. */
  async moveHead(head: Head, etag: string | undefined): Promise<string | undefined> {
    const onlyIf = etag === undefined ? new Headers({ "if-none-match": "*" }) : { etagMatches: etag };
    const options = { onlyIf, httpMetadata: { contentType: "application/json" } };
    const object = await this.#ask(HEAD_KEY, () => this.#bucket.put(HEAD_KEY, JSON.stringify(head), options));
    return object?.etag;
  }

  async manifest(generation: string): Promise<Manifest> {
    const key = manifestKey(generation);
    const object = await this.#ask(key, () => this.#bucket.get(key));
    if (object === null) throw missing(key);
    const manifest = manifestSchema.safeParse(await this.#ask(key, () => object.json()));
    if (!manifest.success || manifest.data.generation !== generation) throw damaged(key);
    return manifest.data;
  }

  async putManifest(manifest: Manifest): Promise<void> {
    const key = manifestKey(manifest.generation);
    const options = { httpMetadata: { contentType: "application/json" } };
    await this.#ask(key, () => this.#bucket.put(key, JSON.stringify(manifest), options));
  }

  async dropManifest(generation: string): Promise<void> {
    const key = manifestKey(generation);
    await this.#ask(key, () => this.#bucket.delete(key));
  }

  /** All generations that have a manifest, oldest first. */
  async generations(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of this.#list(MANIFEST_PREFIX)) {
      found.push(key.slice(MANIFEST_PREFIX.length, -".json".length));
    }
    return found.toSorted();
  }

  /** The decoded content, checked against its name. */
  async blob(name: string): Promise<Uint8Array> {
    const key = blobKey(name);
    const object = await this.#ask(key, () => this.#bucket.get(key));
    if (object === null) throw missing(key);
    const stored = new Uint8Array(await this.#ask(key, () => object.arrayBuffer()));
    try {
      return decodeBlob(stored, name);
    } catch (cause) {
      throw damaged(key, cause);
    }
  }

  /** The stored bytes as they are, for a reader that checks them itself. */
  async rawBlob(name: string): Promise<{ body: ReadableStream; size: number }> {
    const key = blobKey(name);
    const object = await this.#ask(key, () => this.#bucket.get(key));
    if (object === null) throw missing(key);
    return { body: object.body, size: object.size };
  }

  /** `stored` is encoded and checked already. A blob that is there is left as it is. */
  async putBlob(name: string, stored: Uint8Array): Promise<void> {
    const key = blobKey(name);
    const onlyIf = new Headers({ "if-none-match": "*" });
    await this.#ask(key, () => this.#bucket.put(key, stored, { onlyIf }));
  }

  async tree(name: string): Promise<Entry[]> {
    const content = await this.blob(name);
    const tree = treeSchema.safeParse(JSON.parse(new TextDecoder().decode(content)));
    if (!tree.success) throw damaged(blobKey(name), tree.error);
    return tree.data;
  }

  /** Every blob there is, with its stored size in bytes. */
  async *blobs(): AsyncGenerator<{ name: string; bytes: number }> {
    for await (const { key, size } of this.#list(BLOB_PREFIX)) {
      yield { name: key.slice(key.lastIndexOf("/") + 1), bytes: size };
    }
  }

  async dropBlobs(names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += DELETED_AT_ONCE) {
      const keys = names.slice(at, at + DELETED_AT_ONCE).map(blobKey);
      await this.#ask(keys[0] ?? BLOB_PREFIX, () => this.#bucket.delete(keys));
    }
  }

  async *#list(prefix: string): AsyncGenerator<R2Object> {
    for (let cursor: string | undefined; ;) {
      const page = await this.#ask(prefix, () => this.#bucket.list({ prefix, ...(cursor ? { cursor } : {}) }));
      yield* page.objects;
      if (!page.truncated) return;
      cursor = page.cursor;
    }
  }

  async #ask<T>(key: string, work: () => Promise<T>): Promise<T> {
    using patience = deadline(ANSWERS_WITHIN_MS);
    try {
      return await raced(work(), patience.signal);
    } catch (cause) {
      throw new Failure("unavailable", `The memory's storage did not answer for ${key}.`, {
        hint: "Try again in a minute. Nothing was lost.",
        cause,
      });
    }
  }
}

const OLDER = "Put an older generation back: memory_generations lists them, memory_restore puts one back.";

function missing(key: string): Failure {
  return new Failure("not_found", `The memory's object ${key} is missing.`, { hint: OLDER });
}

function damaged(key: string, cause?: unknown): Failure {
  return new Failure("upstream", `The memory's object ${key} is damaged.`, { hint: OLDER, cause });
}
