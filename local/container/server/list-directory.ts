import type { Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { failure } from "./failure.ts";

/** A directory with more entries is answered with an error, not with a message nobody can carry. */
const ENTRY_LIMIT = 100_000;

export interface FileInfo {
  name: string;
  absolutePath: string;
  relativePath: string;
  type: "file" | "directory" | "symlink" | "other";
  size: number;
  modifiedAt: string;
  /** As `ls` shows it, without the type: `rwxr-xr-x`. */
  mode: string;
  /** The owner's. */
  permissions: { readable: boolean; writable: boolean; executable: boolean };
}

/** What is in a directory. Hidden entries only on request; what is under a hidden directory counts as not hidden. */
export async function listDirectory(
  directory: string,
  options: { recursive?: boolean; includeHidden?: boolean },
): Promise<FileInfo[]> {
  if (!(await stat(directory)).isDirectory()) {
    throw failure("NOT_DIRECTORY", `Path is not a directory: ${directory}`, {
      path: directory,
      operation: "directory.list",
    });
  }
  const entries = await readdir(directory, { recursive: options.recursive === true });
  if (entries.length > ENTRY_LIMIT) {
    throw failure("FILESYSTEM_ERROR", `'${directory}' has more than ${ENTRY_LIMIT} entries`, { path: directory });
  }
  const shown = entries.filter((entry) => options.includeHidden === true || !basename(entry).startsWith("."));
  const files: FileInfo[] = [];
  for (const entry of shown) {
    const absolutePath = join(directory, entry);
    // An entry that was deleted since is not listed.
    const info = await lstat(absolutePath).catch(() => undefined);
    if (info !== undefined) files.push(describe(directory, absolutePath, info));
  }
  return files;
}

function describe(directory: string, absolutePath: string, info: Stats): FileInfo {
  return {
    name: basename(absolutePath),
    absolutePath,
    relativePath: relative(directory, absolutePath),
    type: typeOf(info),
    size: info.size,
    modifiedAt: info.mtime.toISOString(),
    mode: [6, 3, 0].map((shift) => letters(info.mode >> shift)).join(""),
    permissions: {
      readable: (info.mode & 0o400) !== 0,
      writable: (info.mode & 0o200) !== 0,
      executable: (info.mode & 0o100) !== 0,
    },
  };
}

function typeOf(info: Stats): FileInfo["type"] {
  if (info.isFile()) return "file";
  if (info.isDirectory()) return "directory";
  return info.isSymbolicLink() ? "symlink" : "other";
}

function letters(bits: number): string {
  return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 1 ? "x" : "-"}`;
}
