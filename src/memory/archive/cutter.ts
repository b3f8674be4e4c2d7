import { createHash } from "node:crypto";
import { unwrap } from "../../core/reply.ts";
import type { MemoryImporter } from "../access.ts";
import { encodeBlob, sha256 } from "../codec.ts";
import type { MemoryStore } from "../store.ts";

interface Piece {
  blob: string;
  offset: number;
  length: number;
}

/** docs/storage.md: files below this go into packs of up to PACK. Bytes. */
const SMALL = 128 * 1024;
const PACK = 4 * 1024 * 1024;
/** Content that is asked for and uploaded together. Bytes. */
const BATCH = 8 * 1024 * 1024;
const PUTS_AT_ONCE = 6;

/** Cuts files into blobs and uploads those that are not there yet. */
export class Cutter {
  readonly #memory: MemoryImporter;
  readonly #store: MemoryStore;
  #pack: { parts: Uint8Array[]; bytes: number; pieces: Piece[] } = { parts: [], bytes: 0, pieces: [] };
  #batch = new Map<string, { content: Uint8Array; pieces: Piece[] }>();
  #batchBytes = 0;

  constructor(memory: MemoryImporter, store: MemoryStore) {
    this.#memory = memory;
    this.#store = store;
  }

  /** A whole file of `size` bytes. The pieces' blobs are named once `settle` has resolved. */
  async file(
    body: ReadableStream<Uint8Array>,
    size: number,
  ): Promise<{ sha256: string; size: number; pieces: Piece[] }> {
    const whole = createHash("sha256");
    const pieces: Piece[] = [];
    let taken = 0;
    for await (const content of partsOf(body, size < SMALL ? SMALL : chunkBytes(size))) {
      whole.update(content);
      taken += content.byteLength;
      pieces.push(size < SMALL ? await this.#packed(content) : await this.#chunk(content));
    }
    return { sha256: whole.digest("hex"), size: taken, pieces };
  }

  /** A blob of its own; its name is there once `settle` has resolved. */
  whole(content: Uint8Array): Promise<Piece> {
    return this.#chunk(content);
  }

  async settle(): Promise<void> {
    await this.#closePack();
    await this.#send();
  }

  async #packed(content: Uint8Array): Promise<Piece> {
    const piece = { blob: "", offset: this.#pack.bytes, length: content.byteLength };
    this.#pack.parts.push(content);
    this.#pack.pieces.push(piece);
    this.#pack.bytes += content.byteLength;
    if (this.#pack.bytes >= PACK - SMALL) await this.#closePack();
    return piece;
  }

  async #closePack(): Promise<void> {
    const { parts, bytes, pieces } = this.#pack;
    this.#pack = { parts: [], bytes: 0, pieces: [] };
    if (bytes > 0) await this.#add(joined(parts, bytes), pieces);
  }

  async #chunk(content: Uint8Array): Promise<Piece> {
    const piece = { blob: "", offset: 0, length: content.byteLength };
    await this.#add(content, [piece]);
    return piece;
  }

  async #add(content: Uint8Array, pieces: Piece[]): Promise<void> {
    const hash = sha256(content);
    const waiting = this.#batch.get(hash);
    if (waiting) waiting.pieces.push(...pieces);
    else {
      this.#batch.set(hash, { content, pieces });
      this.#batchBytes += content.byteLength;
    }
    if (this.#batchBytes >= BATCH) await this.#send();
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    this.#batch = new Map();
    this.#batchBytes = 0;
    if (batch.size === 0) return;
    const { known, upload } = unwrap(await this.#memory.offer([...batch.keys()]));
    const waiting = Object.entries(upload);
    const putNext = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const [hash, name] = next;
        const stored = encodeBlob(batch.get(hash)?.content ?? new Uint8Array());
        await this.#store.putBlob(name, stored);
        unwrap(await this.#memory.arrived(name, stored.byteLength));
      }
    };
    await Promise.all(Array.from({ length: PUTS_AT_ONCE }, putNext));
    for (const [hash, { pieces }] of batch) {
      for (const piece of pieces) piece.blob = known[hash] ?? upload[hash] ?? "";
    }
  }
}

function chunkBytes(size: number): number {
  if (size <= 4 * 1024 * 1024) return 64 * 1024;
  return size <= 32 * 1024 * 1024 ? 128 * 1024 : 512 * 1024;
}

/** The stream in parts of exactly so many bytes; the last one is what is left. */
async function* partsOf(body: ReadableStream<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const given of body) {
    let rest = given;
    while (length + rest.byteLength >= bytes) {
      const head = rest.subarray(0, bytes - length);
      yield joined([...waiting, head], bytes);
      rest = rest.subarray(head.byteLength);
      waiting = [];
      length = 0;
    }
    // A copy: whoever reads the archive may use its buffer again.
    if (rest.byteLength > 0) waiting.push(rest.slice());
    length += rest.byteLength;
  }
  if (length > 0) yield joined(waiting, length);
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
