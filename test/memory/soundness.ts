import { createHash } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import {
  blobKey,
  blobsOf,
  type Entry,
  HEAD_KEY,
  headSchema,
  type Manifest,
  manifestKey,
  manifestSchema,
  treeSchema,
} from "../../src/memory/format.ts";
import type { MemoryStack } from "./stack.ts";

export interface Sound {
  manifest: Manifest;
  entries: Entry[];
  /** Every object that the generation consists of. */
  keys: Set<string>;
}

/** Reads the present generation as the format says, from the bucket alone. Throws at whatever is missing or wrong. */
export async function soundHead(stack: MemoryStack): Promise<Sound> {
  const head = headSchema.parse(JSON.parse(await textOf(stack, HEAD_KEY)));
  return await soundGeneration(stack, head.generation);
}

export async function soundGeneration(stack: MemoryStack, generation: string): Promise<Sound> {
  const key = manifestKey(generation);
  const manifest = manifestSchema.parse(JSON.parse(await textOf(stack, key)));
  const keys = new Set([HEAD_KEY, key]);
  const entries: Entry[] = [];
  for (const tree of manifest.trees) {
    keys.add(blobKey(tree));
    entries.push(...treeSchema.parse(JSON.parse((await blob(stack, tree)).toString("utf8"))));
  }
  const contents = new Map<string, Buffer>();
  for (const name of new Set(entries.flatMap(blobsOf))) {
    keys.add(blobKey(name));
    contents.set(name, await blob(stack, name));
  }
  for (const entry of entries) {
    if (entry.kind !== "file" && entry.kind !== "database") continue;
    const hash = createHash("sha256");
    for (const { blob: name, offset, length } of entry.pieces) {
      hash.update(contents.get(name)?.subarray(offset, offset + length) ?? "");
    }
    if (hash.digest("hex") !== entry.sha256) throw new Error(`${entry.path} of ${generation} is not what it should be`);
  }
  if (entries.length !== manifest.files) throw new Error(`${generation} has ${entries.length} entries`);
  return { manifest, entries, keys };
}

async function textOf(stack: MemoryStack, key: string): Promise<string> {
  const bytes = await stack.bucket("GET", key);
  if (!bytes) throw new Error(`${key} is missing`);
  return Buffer.from(bytes).toString("utf8");
}

async function blob(stack: MemoryStack, name: string): Promise<Buffer> {
  const bytes = await stack.bucket("GET", blobKey(name));
  if (!bytes) throw new Error(`${blobKey(name)} is missing`);
  const content = bytes[0] === 1 ? inflateRawSync(bytes.subarray(1)) : Buffer.from(bytes.subarray(1));
  if (createHash("sha256").update(content).digest("hex") !== name.slice(0, 64)) {
    throw new Error(`${blobKey(name)} is damaged`);
  }
  return content;
}
