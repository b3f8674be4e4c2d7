import {
  closeSync,
  type Dirent,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { diskPath, isRoot, isSkipped, rootNames, SIDECAR } from "./roots.ts";
import type { Roots } from "./settings.ts";

/** Something on the disk that a generation would hold. */
export interface Found {
  path: string;
  disk: string;
  kind: "file" | "database" | "link" | "directory";
  size: number;
  mode: number;
  /** Milliseconds since 1970. */
  modified: number;
  /** Changes whenever the content may have changed. */
  stamp: string;
  target?: string;
}

export interface Seen {
  found: Map<string, Found>;
  /** Every directory that was looked into, as the disk calls it. */
  directories: string[];
  /** Paths that could not be looked at, with the reason. What is there and below them is not known, which is not the same as gone. */
  hidden: Map<string, string>;
}

const MAGIC = Buffer.from("SQLite format 3\0");
const DATABASE_NAME = /\.(?:sqlite3?|db)$/;

interface Look {
  roots: Roots;
  seen: Seen;
  /** Called before a directory is read: whoever watches it from then on misses nothing. */
  onDirectory: (disk: string) => void;
}

/** Everything there is to keep at and below these paths, left out: anywhere. Of what is gone there is nothing. */
export function scan(
  roots: Roots,
  paths: Iterable<string> = rootNames,
  onDirectory: (disk: string) => void = () => undefined,
): Seen {
  const seen: Seen = { found: new Map(), directories: [], hidden: new Map() };
  const look: Look = { roots, seen, onDirectory };
  for (const path of paths) {
    if (isRoot(path)) walk(look, path);
    else if (!isSkipped(path) && !isSidecar(roots, path)) lookAt(look, path);
  }
  return seen;
}

/** How many there are in the directory; undefined when it is none, or cannot be read. */
function walk(look: Look, path: string): number | undefined {
  const { roots, seen } = look;
  const disk = diskPath(roots, path);
  let children: Dirent[];
  try {
    look.onDirectory(disk);
    children = readdirSync(disk, { withFileTypes: true });
  } catch (error) {
    if (!isGone(error)) seen.hidden.set(path, reasonOf(error));
    return undefined;
  }
  seen.directories.push(disk);
  const names = new Set(children.map(({ name }) => name));
  for (const { name } of children) {
    if (SIDECAR.test(name) && names.has(name.replace(SIDECAR, ""))) continue;
    const child = `${path}/${name}`;
    if (!isSkipped(child)) lookAt(look, child);
  }
  return children.length;
}

function lookAt(look: Look, path: string): void {
  const { roots, seen } = look;
  const disk = diskPath(roots, path);
  try {
    const stats = lstatSync(disk);
    const common = { path, disk, mode: stats.mode & 0o7777, modified: Math.floor(stats.mtimeMs) };
    if (stats.isDirectory()) {
      const empty = walk(look, path) === 0;
      if (empty) seen.found.set(path, { ...common, kind: "directory", size: 0, stamp: "directory" });
    } else if (stats.isSymbolicLink()) {
      const target = readlinkSync(disk);
      seen.found.set(path, { ...common, kind: "link", size: 0, stamp: `link ${target}`, target });
    } else if (stats.isFile()) {
      const wal = walOf(disk);
      const kind = isDatabase(disk, wal !== undefined) ? "database" : "file";
      const stamp = kind === "database" && wal ? `${stampOf(stats)} ${stampOf(wal)}` : stampOf(stats);
      seen.found.set(path, { ...common, kind, size: stats.size, stamp });
    }
  } catch (error) {
    if (!isGone(error)) seen.hidden.set(path, reasonOf(error));
  }
}

/** It is not there any more, or something else is in its place or above it: the next look sees what. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL";
}

function reasonOf(error: unknown): string {
  return String(error).slice(0, 400);
}

function isSidecar(roots: Roots, path: string): boolean {
  if (!SIDECAR.test(path)) return false;
  return statOf(diskPath(roots, path.replace(SIDECAR, "")))?.isFile() === true;
}

function walOf(disk: string): Stats | undefined {
  return DATABASE_NAME.test(disk) ? statSync(`${disk}-wal`, { throwIfNoEntry: false }) : undefined;
}

/** By name and content: a new database with everything in its log may be empty yet. */
function isDatabase(disk: string, hasWal: boolean): boolean {
  if (!DATABASE_NAME.test(disk)) return false;
  if (hasWal) return true;
  try {
    const file = openSync(disk, "r");
    try {
      const start = Buffer.alloc(MAGIC.length);
      return readSync(file, start) === MAGIC.length && start.equals(MAGIC);
    } finally {
      closeSync(file);
    }
  } catch {
    // Not readable: as a plain file it will be reported.
    return false;
  }
}

export function stampOf(stats: Stats): string {
  return `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

/** Of the thing itself, not of what a link leads to; undefined when there is nothing, or it cannot be seen. */
export function statOf(disk: string): Stats | undefined {
  try {
    return lstatSync(disk);
  } catch {
    return undefined;
  }
}
