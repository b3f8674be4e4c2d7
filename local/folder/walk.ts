import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";

export interface FoundFile {
  /** Within the folder: "videos/a.mp4". */
  path: string;
  stat: Stats;
  /** Good until the next file is asked for. */
  handle: FileHandle;
}

/** Why something in the folder is not kept. What is below the last two cannot be seen. */
export type Skipped = "a link" | "no file" | "a name that is no text" | "too deep" | "not to be read";

/** Nothing is followed, and a pipe that nobody writes to holds nobody up. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const DEEPEST = 32;

/**
 * Every file of a folder that somebody else writes to meanwhile. Each part of each path is opened by itself, from the
 * folder that was opened before it: a link, wherever it is planted and whenever, leads nowhere. `skip` is told of what is
 * no file.
 */
export async function* walk(root: string, skip: (path: string, why: Skipped) => void): AsyncGenerator<FoundFile> {
  const folder = await open(root, FLAGS | constants.O_DIRECTORY);
  try {
    yield* within(folder, "", 0, skip);
  } finally {
    await folder.close();
  }
}

async function* within(
  folder: FileHandle,
  prefix: string,
  depth: number,
  skip: (path: string, why: Skipped) => void,
): AsyncGenerator<FoundFile> {
  for (const raw of await readdir(here(folder), { encoding: "buffer" })) {
    const name = raw.toString("utf8");
    const path = prefix + name;
    if (!Buffer.from(name).equals(raw)) {
      skip(path, "a name that is no text");
      continue;
    }
    const handle = await open(`${here(folder)}/${name}`, FLAGS).catch((error: unknown) => {
      const why = reasonOf(error);
      if (why !== undefined) skip(path, why);
      return undefined;
    });
    if (handle === undefined) continue;
    try {
      const stat = await handle.stat();
      if (stat.isFile()) yield { path, stat, handle };
      else if (!stat.isDirectory()) skip(path, "no file");
      else if (depth === DEEPEST) skip(path, "too deep");
      else yield* within(handle, `${path}/`, depth + 1, skip);
    } finally {
      await handle.close();
    }
  }
}

/** The opened folder itself, wherever its name leads by now. */
function here({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

/** Undefined: it is gone, which is no wonder. */
function reasonOf(error: unknown): Skipped | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return undefined;
  if (code === "ELOOP") return "a link";
  if (code === "ENXIO" || code === "ENODEV") return "no file";
  if (code === "EACCES") return "not to be read";
  throw error;
}
