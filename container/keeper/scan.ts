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
import { diskPath, isSkipped, rootNames, SIDECAR } from "./roots.ts";
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

const MAGIC = Buffer.from("SQLite format 3\0");
const DATABASE_NAME = /\.(?:sqlite3?|db)$/;

/** Everything there is to keep, and every directory it is in. */
export function scan(roots: Roots): { found: Map<string, Found>; directories: string[] } {
  const found = new Map<string, Found>();
  const directories: string[] = [];
  for (const root of rootNames) walk(roots, root, found, directories);
  return { found, directories };
}

/** What is at and below one path; nothing when it is gone. */
export function scanPath(roots: Roots, path: string): { found: Map<string, Found>; directories: string[] } {
  const found = new Map<string, Found>();
  const directories: string[] = [];
  if (!isSkipped(path) && !isSidecar(roots, path)) look(roots, path, found, directories);
  return { found, directories };
}

function walk(roots: Roots, path: string, found: Map<string, Found>, directories: string[]): number {
  const disk = diskPath(roots, path);
  let children: Dirent[];
  try {
    children = readdirSync(disk, { withFileTypes: true });
  } catch {
    // It is gone since, or cannot be read; the next scan sees what is so then.
    return 0;
  }
  directories.push(disk);
  const names = new Set(children.map(({ name }) => name));
  for (const { name } of children) {
    if (SIDECAR.test(name) && names.has(name.replace(SIDECAR, ""))) continue;
    const child = `${path}/${name}`;
    if (!isSkipped(child)) look(roots, child, found, directories);
  }
  return children.length;
}

function look(roots: Roots, path: string, found: Map<string, Found>, directories: string[]): void {
  const disk = diskPath(roots, path);
  const stats = lstatSync(disk, { throwIfNoEntry: false });
  if (!stats) return;
  const common = { path, disk, mode: stats.mode & 0o7777, modified: Math.floor(stats.mtimeMs) };
  if (stats.isDirectory()) {
    const children = walk(roots, path, found, directories);
    if (children === 0) found.set(path, { ...common, kind: "directory", size: 0, stamp: "directory" });
  } else if (stats.isSymbolicLink()) {
    const target = readlinkSync(disk);
    found.set(path, { ...common, kind: "link", size: 0, stamp: `link ${target}`, target });
  } else if (stats.isFile()) {
    const wal = walOf(disk);
    const kind = isDatabase(disk, wal !== undefined) ? "database" : "file";
    const stamp = kind === "database" && wal ? `${stampOf(stats)} ${stampOf(wal)}` : stampOf(stats);
    found.set(path, { ...common, kind, size: stats.size, stamp });
  }
}

function isSidecar(roots: Roots, path: string): boolean {
  if (!SIDECAR.test(path)) return false;
  return lstatSync(diskPath(roots, path.replace(SIDECAR, "")), { throwIfNoEntry: false })?.isFile() === true;
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
