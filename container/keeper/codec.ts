import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, deflateRawSync, inflateRaw } from "node:zlib";

const deflate = promisify<Buffer, { level: number }, Buffer>(deflateRaw);
const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

/** As src/memory/format.ts has it. */
const MOST_BLOB_BYTES = 8 * 1024 * 1024;
const SAMPLE = 16 * 1024;

/** docs/storage.md: one byte that says how, then the content. What a sample says does not shrink is stored as it is. */
export async function encodeBlob(content: Buffer): Promise<Uint8Array> {
  const sample = content.subarray(0, SAMPLE);
  const shrinks = deflateRawSync(sample, { level: 1 }).byteLength < sample.byteLength * 0.95;
  const deflated = shrinks ? await deflate(content, { level: 1 }) : undefined;
  const smaller = deflated !== undefined && deflated.byteLength < content.byteLength;
  return Buffer.concat([Buffer.from([smaller ? 1 : 0]), smaller ? deflated : content]);
}

/** The content, or undefined when it is not what the name says. */
export async function decodeBlob(stored: Uint8Array, name: string): Promise<Buffer | undefined> {
  const body = stored.subarray(1);
  try {
    const content = stored[0] === 1 ? await inflate(body, { maxOutputLength: MOST_BLOB_BYTES }) : Buffer.from(body);
    return sha256(content) === name.slice(0, 64) ? content : undefined;
  } catch {
    // Not deflated data at all.
    return undefined;
  }
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
