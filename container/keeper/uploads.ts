import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { Entry } from "../../src/memory/format.ts";
import type { Bridge } from "./bridge.ts";
import { encodeBlob, sha256 } from "./codec.ts";

export interface Piece {
  blob: string;
  offset: number;
  length: number;
}

export interface Content {
  size: number;
  sha256: string;
  /** Their blobs are named once `settle` has resolved. */
  pieces: Piece[];
}

/** Files below this go into packs. Bytes. */
const SMALL = 128 * 1024;
const PACK = 4 * 1024 * 1024;
/** Content asked for and uploaded together. Bytes. */
const BATCH = 4 * 1024 * 1024;
const BATCHES_AT_ONCE = 3;
const PUTS_AT_ONCE = 4;

interface Waiting {
  content: Buffer;
  pieces: Piece[];
}

/** Docs/storage.md: how large files are cut. Bytes. */
function chunkBytes(size: number): number {
  if (size <= 4 * 1024 * 1024) return 64 * 1024;
  return size <= 32 * 1024 * 1024 ? 128 * 1024 : 512 * 1024;
}

/** Turns files into pieces of blobs, and uploads the blobs that the Worker does not have. */
export class Uploads {
  readonly #bridge: Bridge;
  readonly #fence: number;
  /** By the hash of the content: where the present generation has it. */
  readonly #known = new Map<string, Piece>();
  #pack: { parts: Buffer[]; bytes: number; pieces: Piece[]; offsets: Map<string, number> } = emptyPack();
  #batch = new Map<string, Waiting>();
  #batchBytes = 0;
  readonly #running = new Set<Promise<void>>();
  #failed: unknown;

  constructor(bridge: Bridge, fence: number) {
    this.#bridge = bridge;
    this.#fence = fence;
  }

  /** What these entries consist of need not be uploaded again. */
  learn(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      if (entry.kind !== "file" && entry.kind !== "database") continue;
      const [only] = entry.pieces;
      if (entry.pieces.length === 1 && only) this.#known.set(entry.sha256, only);
      else for (const piece of entry.pieces) this.#known.set(piece.blob.slice(0, 64), piece);
    }
  }

  /** As `learn`, but of nothing else from now on: what is no longer anywhere would fill the memory. */
  learnAnew(entries: Iterable<Entry>): void {
    this.forget();
    this.learn(entries);
  }

  /** From now on nothing is taken to be there. */
  forget(): void {
    this.#known.clear();
  }

  /** Reads `size` bytes of the file; fewer when it is shorter by now. */
  async read(disk: string, size: number): Promise<Content> {
    const file = await open(disk, "r");
    try {
      return size < SMALL ? await this.#small(file, size) : await this.#large(file, size);
    } finally {
      await file.close();
    }
  }

  /** Uploads what is still waiting, and resolves when all of it has arrived. */
  async settle(): Promise<void> {
    await this.#closePack();
    await this.#sendBatch();
    await Promise.all(this.#running);
    if (this.#failed === undefined) return;
    const failed = this.#failed;
    this.#failed = undefined;
    throw failed;
  }

  async #small(file: FileHandle, size: number): Promise<Content> {
    const content = await readUpTo(file, size);
    const hash = sha256(content);
    const known = this.#known.get(hash);
    if (known) return { size: content.length, sha256: hash, pieces: [{ ...known }] };
    if (content.length === 0) return { size: 0, sha256: hash, pieces: [] };
    const pack = this.#pack;
    const offset = pack.offsets.get(hash) ?? pack.bytes;
    const piece = { blob: "", offset, length: content.length };
    pack.pieces.push(piece);
    if (!pack.offsets.has(hash)) {
      pack.offsets.set(hash, offset);
      pack.parts.push(content);
      pack.bytes += content.length;
    }
    if (pack.bytes >= PACK - SMALL) await this.#closePack();
    return { size: content.length, sha256: hash, pieces: [piece] };
  }

  async #large(file: FileHandle, size: number): Promise<Content> {
    const whole = createHash("sha256");
    const pieces: Piece[] = [];
    const chunk = chunkBytes(size);
    let at = 0;
    while (at < size) {
      const content = await readUpTo(file, Math.min(chunk, size - at));
      if (content.length === 0) break;
      at += content.length;
      whole.update(content);
      const hash = sha256(content);
      const known = this.#known.get(hash);
      const piece = known ? { ...known } : { blob: "", offset: 0, length: content.length };
      pieces.push(piece);
      if (!known) await this.#add(hash, content, [piece]);
    }
    return { size: at, sha256: whole.digest("hex"), pieces };
  }

  async #closePack(): Promise<void> {
    const { parts, bytes, pieces } = this.#pack;
    this.#pack = emptyPack();
    if (bytes === 0) return;
    const content = Buffer.concat(parts, bytes);
    await this.#add(sha256(content), content, pieces);
  }

  async #add(hash: string, content: Buffer, pieces: Piece[]): Promise<void> {
    const waiting = this.#batch.get(hash);
    if (waiting) waiting.pieces.push(...pieces);
    else {
      this.#batch.set(hash, { content, pieces });
      this.#batchBytes += content.length;
    }
    if (this.#batchBytes >= BATCH) await this.#sendBatch();
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = new Map();
    this.#batchBytes = 0;
    if (batch.size === 0) return;
    while (this.#running.size >= BATCHES_AT_ONCE) await Promise.race(this.#running);
    const running = this.#send(batch)
      .catch((error: unknown) => {
        this.#failed ??= error;
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #send(batch: Map<string, Waiting>): Promise<void> {
    const { known, upload } = await this.#bridge.want(this.#fence, [...batch.keys()]);
    for (const [hash, { pieces }] of batch) {
      const name = known[hash] ?? upload[hash];
      if (name === undefined) throw new Error(`The Worker did not say what to call ${hash}.`);
      for (const piece of pieces) piece.blob = name;
    }
    const waiting = Object.entries(upload);
    const putNext = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const [hash, name] = next;
        const content = batch.get(hash)?.content;
        if (content) await this.#bridge.put(this.#fence, name, await encodeBlob(content));
      }
    };
    await Promise.all(Array.from({ length: PUTS_AT_ONCE }, putNext));
  }
}

function emptyPack() {
  return { parts: [] as Buffer[], bytes: 0, pieces: [] as Piece[], offsets: new Map<string, number>() };
}

async function readUpTo(file: FileHandle, size: number): Promise<Buffer> {
  const content = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(content, at, size - at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return content.subarray(0, at);
}
