import { Failure } from "../core/failure.ts";
import { shardOf } from "./codec.ts";
import { type Entry, type FileEntry, pathSchema } from "./format.ts";
import type { Ledger } from "./ledger.ts";
import type { MemoryStore } from "./store.ts";

const TREES_AT_ONCE = 8;

/**
 * Whose conversation this is the text of: the person's part of the session's name, which the keeper names the file after.
 * Undefined for what everybody who may read the memory may read.
 */
export function ownerOf(path: string): string | undefined {
  return /^conversations\/[^/]+\/agent_[^_/]*_mcp_([^_/]*)_/.exec(path)?.[1];
}

/** What the tools may read: what the bot wrote down and what was said; not the gateway's own state, which has keys in it. */
export function isReadable(path: string, reader: string): boolean {
  if (path.startsWith("workspace/")) return true;
  const owner = ownerOf(path);
  return path.startsWith("conversations/") && (owner === undefined || owner === reader);
}

/** As a tool was given it: without a root it is the workspace's. */
export function readablePath(given: string, reader: string): string {
  const clean = given.replace(/^\/+/, "");
  const path = /^(workspace|conversations)\//.test(clean) ? clean : `workspace/${clean}`;
  if (!pathSchema.safeParse(path).success) {
    throw new Failure("invalid_input", "The path must lead to a file of the memory, without . and .. parts.", {
      hint: "memory_list names them.",
    });
  }
  if (!isReadable(path, reader)) throw noFile(path);
  return path;
}

export function noFile(path: string): Failure {
  return new Failure("not_found", `The memory has no file ${path}.`, { hint: "memory_list names those there are." });
}

/** A path's entry in the present generation, or in an older one. */
export async function findEntry(
  path: string,
  generation: string | undefined,
  ledger: Ledger,
  store: MemoryStore,
): Promise<Entry | undefined> {
  if (generation === undefined) return ledger.entries.entry(path);
  const { shards, trees } = liveGeneration(generation, ledger);
  const tree = trees[shardOf(path, shards)];
  return tree === undefined ? undefined : (await store.tree(tree)).find((entry) => entry.path === path);
}

/** Of an older generation, as `Entries.under` has them of the present one: the first `most` that `wanted` takes. */
export async function entriesOf(
  generation: string,
  { prefix, after, most, wanted }: { prefix: string; after: string; most: number; wanted: (entry: Entry) => boolean },
  ledger: Ledger,
  store: MemoryStore,
): Promise<Entry[]> {
  const waiting = [...liveGeneration(generation, ledger).trees];
  // A path may be in any tree, and all entries together may be too many to hold.
  let first: Entry[] = [];
  while (waiting.length > 0) {
    const trees = await Promise.all(waiting.splice(0, TREES_AT_ONCE).map((tree) => store.tree(tree)));
    const found = trees.flat().filter((entry) => entry.path.startsWith(prefix) && entry.path > after && wanted(entry));
    first = [...first, ...found].toSorted((a, b) => (a.path < b.path ? -1 : 1)).slice(0, most);
  }
  return first;
}

export function liveGeneration(id: string, ledger: Ledger) {
  const row = ledger.generation(id);
  if (row?.state === "live") return row;
  throw new Failure("not_found", `There is no generation ${id}.`, { hint: "memory_generations lists them." });
}

/** Bytes of the file from `offset`, at most `limit`. Only the blobs they are in are read. */
export async function readEntry(
  entry: FileEntry,
  { offset, limit }: { offset: number; limit: number },
  blob: (name: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const end = Math.min(entry.size, offset + limit);
  const bytes = new Uint8Array(Math.max(0, end - offset));
  let at = 0;
  for (const piece of entry.pieces) {
    const [from, to] = [Math.max(offset, at), Math.min(end, at + piece.length)];
    if (from < to) {
      const content = await blob(piece.blob);
      bytes.set(content.subarray(piece.offset + from - at, piece.offset + to - at), from - offset);
    }
    at += piece.length;
  }
  return bytes;
}
