import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Entry, FileEntry } from "../../src/memory/format.ts";
import { type Bridge, BridgeError, WHOLE_TRIES } from "./bridge.ts";
import { decodeBlob, sha256 } from "./codec.ts";
import { isCurrent, readMark, writeMark } from "./disk-mark.ts";
import { releaseLeases } from "./leases.ts";
import { diskPath, foldersOf, isRoot, keptPath } from "./roots.ts";
import { type Found, scan } from "./scan.ts";
import type { Roots, Settings } from "./settings.ts";

const BLOBS_AT_ONCE = 8;

/** Why the bot must not start: with the object, and what to do. */
export class RestoreError extends Error {}

/** Takes a new fence, and makes the disk what the head says unless it is at least as new. Resolves with what it did. */
export async function restore(settings: Settings, bridge: Bridge): Promise<string> {
  const { fence, head } = await bridge.begin();
  const mark = readMark(settings.home);
  if (isCurrent(mark, head)) {
    writeMark(settings.home, { fence, generation: head?.generation ?? null, phase: "ready" });
    return head ? "the disk is as new as the memory" : "there is no memory yet";
  }
  if (head === null) throw new RestoreError("There is no generation to put back.");
  const { generation } = head;
  writeMark(settings.home, { fence, generation, phase: "restoring" });
  const entries = await bridge.entries(head);
  const missing = clear(settings.roots, entries);
  const files = missing.filter((entry): entry is FileEntry => entry.kind === "file" || entry.kind === "database");
  for (const entry of missing) placeholder(settings.roots, entry);
  await fetchAll(files, settings.roots, bridge, generation);
  if (entries.some(({ kind }) => kind === "database")) releaseLeases(settings.roots.state);
  for (const entry of entries) finish(settings.roots, entry);
  writeMark(settings.home, { fence, generation, phase: "ready" });
  return `generation ${generation} is back: ${entries.length} files, ${files.length} of them fetched`;
}

/** Removes what the generation does not have, and names what of it the disk does not have. */
function clear(roots: Roots, entries: readonly Entry[]): Entry[] {
  const wanted = new Map(entries.map((entry) => [entry.path, entry]));
  const folders = new Set(entries.flatMap(({ path }) => foldersOf(path)));
  const there = new Set<string>();
  const { found: all, directories, hidden } = scan(roots);
  const [unseen] = hidden;
  if (unseen) throw new RestoreError(`${unseen[0]} on the container's disk cannot be looked at: ${unseen[1]}`);
  for (const found of all.values()) {
    const entry = wanted.get(found.path);
    if (entry && has(found, entry)) there.add(found.path);
    else rmSync(found.disk, { recursive: true, force: true });
    // A log that stayed would be played into the database that takes this one's place.
    if (found.kind === "database" || entry?.kind === "database") {
      for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(found.disk + suffix, { force: true });
    }
  }
  // A folder whose files are gone is none of the generation's, and may stand where one of its files has to be.
  for (const disk of directories.toReversed()) {
    const path = keptPath(roots, disk);
    if (path === undefined || isRoot(path) || folders.has(path)) continue;
    const entry = wanted.get(path);
    if (entry && entry.kind !== "directory") rmSync(disk, { recursive: true, force: true });
    else if (!entry && existsSync(disk) && readdirSync(disk).length === 0) rmdirSync(disk);
  }
  return entries.filter(({ path }) => !there.has(path));
}

/** A database is always written anew: what it holds is not only in its file. */
function has(found: Found, entry: Entry): boolean {
  if (found.kind !== entry.kind) return false;
  if (entry.kind === "link") return found.target === entry.target;
  if (entry.kind === "directory") return true;
  if (entry.kind === "database" || found.size !== entry.size) return false;
  return sha256(readFileSync(found.disk)) === entry.sha256;
}

/** Makes what has no content, and room for what has. */
function placeholder(roots: Roots, entry: Entry): void {
  const disk = diskPath(roots, entry.path);
  mkdirSync(entry.kind === "directory" ? disk : dirname(disk), { recursive: true });
  if (entry.kind === "link") symlinkSync(entry.target, disk);
  if (entry.kind !== "file" && entry.kind !== "database") return;
  const file = openSync(disk, "w", 0o600);
  if (entry.pieces.length > 1) ftruncateSync(file, entry.size);
  closeSync(file);
}

/** Every blob once, several at a time, each checked before a byte of it is written. */
async function fetchAll(files: readonly FileEntry[], roots: Roots, bridge: Bridge, generation: string): Promise<void> {
  const parts = new Map<string, { path: string; at: number; offset: number; length: number }[]>();
  for (const { path, pieces } of files) {
    let at = 0;
    for (const { blob, offset, length } of pieces) {
      const of = parts.get(blob) ?? [];
      of.push({ path, at, offset, length });
      parts.set(blob, of);
      at += length;
    }
  }
  const waiting = [...parts];
  const fetchNext = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [name, writes] = next;
      const content = await fetchBlob(name, bridge, generation);
      for (const { path, at, offset, length } of writes) {
        if (offset + length > content.length) throw new RestoreError(`${path} needs more than the blob ${name} holds.`);
        const file = openSync(diskPath(roots, path), "r+");
        writeSync(file, content, offset, length, at);
        closeSync(file);
      }
    }
  };
  await Promise.all(Array.from({ length: BLOBS_AT_ONCE }, fetchNext));
}

async function fetchBlob(name: string, bridge: Bridge, generation: string): Promise<Buffer> {
  const object = `blobs/${name.slice(0, 2)}/${name}`;
  try {
    // What broke off on its way is not damaged where it came from.
    for (let attempt = 0; attempt < WHOLE_TRIES; attempt++) {
      const content = await decodeBlob(await bridge.blob(name), name);
      if (content) return content;
    }
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== "not_found") {
      throw new RestoreError(
        `Generation ${generation} could not be put back: ${object} cannot be fetched (${error instanceof Error ? error.message : String(error)}). ` +
          "Nothing is lost; try again with bot_restart.",
      );
    }
  }
  const { sound } = await bridge.damaged(name).catch(() => ({ sound: null }));
  throw new RestoreError(
    `Generation ${generation} could not be put back: ${object} is missing or damaged. ` +
      (sound === null
        ? "memory_generations lists the other generations; memory_restore puts one back."
        : `The newest generation without it is ${sound}: put that back with memory_restore, then bot_restart.`),
  );
}

/** Mode and time last: writing changes the time, and a read-only file could not be written. */
function finish(roots: Roots, entry: Entry): void {
  if (entry.kind === "link") return;
  const disk = diskPath(roots, entry.path);
  if ((lstatSync(disk).mode & 0o7777) !== entry.mode) chmodSync(disk, entry.mode);
  if (entry.kind === "file") utimesSync(disk, entry.modified / 1000, entry.modified / 1000);
}
