import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Failure } from "../core/failure.ts";
import { MOST_BLOB_BYTES } from "./format.ts";

const STORED = 0;
const DEFLATED = 1;

/** A blob as it is stored: how it is encoded, then the content. */
export function encodeBlob(content: Uint8Array): Uint8Array {
  const deflated = deflateRawSync(content, { level: 6 });
  const [codec, body] = deflated.byteLength < content.byteLength ? [DEFLATED, deflated] : [STORED, content];
  const blob = new Uint8Array(body.byteLength + 1);
  blob[0] = codec;
  blob.set(body, 1);
  return blob;
}

/** The content; a Failure when it is not what `name`, which begins with its hash, says. */
export function decodeBlob(blob: Uint8Array, name: string): Uint8Array {
  const content = decoded(blob);
  if (content === undefined || sha256(content) !== name.slice(0, 64)) {
    throw new Failure("invalid_input", `The blob ${name} does not hold what its name says.`);
  }
  return content;
}

function decoded(blob: Uint8Array): Uint8Array | undefined {
  const body = blob.subarray(1);
  if (blob[0] === STORED) return body.byteLength <= MOST_BLOB_BYTES ? body : undefined;
  if (blob[0] !== DEFLATED) return undefined;
  try {
    return inflateRawSync(body, { maxOutputLength: MOST_BLOB_BYTES });
  } catch {
    // Not deflated data, or more of it than a blob may hold.
    return undefined;
  }
}

/** In hexadecimal. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Which of `shards` trees holds the entry of this path. */
export function shardOf(path: string, shards: number): number {
  return shards === 1 ? 0 : createHash("sha256").update(path).digest().readUInt32BE(0) % shards;
}
