import { Failure } from "../core/failure.ts";
import { type Reply, reply } from "../core/reply.ts";
import type { DirectoryEntry } from "../sandbox/results.ts";
import type { FileHost } from "../tools/services.ts";
import { FOLDER_PATH, withinFolder } from "./folder.ts";
import type { FolderStore } from "./store.ts";
import { typeOf } from "./types.ts";

/** Entries of one listing; a caller holds all of them. */
const MOST_LISTED = 10_000;

/** Files of the container, by its own means. */
type ContainerFiles = Pick<FileHost, "openFile" | "putFile" | "directory">;

/**
 * The sandbox's files, of which those in the folder for large files are read from the bucket, without the container.
 * What the container has written a moment ago may not be there yet: where it is awake, it is asked for that.
 */
export function withFolder(sandbox: ContainerFiles, store: FolderStore, isAwake: () => Promise<boolean>): FileHost {
  const orAwake = async <T>(found: Reply<T>, ask: () => Promise<Reply<T>>): Promise<Reply<T>> =>
    !found.ok && found.failure.code === "not_found" && (await isAwake()) ? await ask() : found;
  return {
    async openFile(path, offset) {
      const inside = withinFolder(path);
      if (inside === undefined) return await sandbox.openFile(path);
      const found = await reply("files.open", () => open(store, inside, offset ?? 0));
      return await orAwake(found, () => sandbox.openFile(path));
    },
    async directory(path, options) {
      const inside = withinFolder(path);
      if (inside === undefined) return await sandbox.directory(path, options);
      const found = await reply("files.directory", () => list(store, inside, options));
      return await orAwake(found, () => sandbox.directory(path, options));
    },
    putFile: (path, content, encoding) => sandbox.putFile(path, content, encoding),
    needsContainer: (path) => withinFolder(path) === undefined,
  };
}

async function open(store: FolderStore, path: string, offset: number) {
  if (path === "") throw new Failure("invalid_input", `${FOLDER_PATH} is a directory: use file_list.`);
  const file = await store.open(path, { offset });
  if (!file) throw notFound(path);
  return { content: file.content, size: file.size, mimeType: typeOf(path), offset };
}

async function list(
  store: FolderStore,
  path: string,
  { recursive, hidden }: { recursive: boolean; hidden: boolean },
): Promise<DirectoryEntry[]> {
  const prefix = path === "" ? "" : `${path}/`;
  const entries = new Map<string, DirectoryEntry>();
  const add = (entry: DirectoryEntry) => {
    if (hidden || !/(^|\/)\./.test(entry.path.slice(prefix.length))) {
      entries.set(entry.path, { ...entry, path: `${FOLDER_PATH}/${entry.path}` });
    }
  };
  let isThere = path === "";
  for (let cursor: string | undefined; ;) {
    const found = await store.page(prefix, { cursor, flat: recursive });
    isThere ||= found.files.length + found.folders.length > 0;
    for (const folder of found.folders) add(directory(folder));
    for (const file of found.files) {
      for (const folder of foldersBetween(prefix, file.path)) add(directory(folder));
      add({ path: file.path, type: "file", size: file.size, modified: file.modified.toISOString() });
    }
    if (entries.size > MOST_LISTED) {
      throw new Failure("too_large", `${FOLDER_PATH}/${path} has more than ${MOST_LISTED} entries.`, {
        hint: "List one of its directories, without what is in them.",
      });
    }
    cursor = found.cursor;
    if (cursor === undefined) break;
  }
  if (isThere) return [...entries.values()];
  if (await store.stat(path)) throw new Failure("invalid_input", `${FOLDER_PATH}/${path} is a file: use file_read.`);
  throw notFound(path);
}

/** A bucket has no directories, and so no time of theirs. */
function directory(path: string): DirectoryEntry {
  return { path, type: "directory", size: 0, modified: "" };
}

/** Every directory below `prefix` that the file is in. */
function foldersBetween(prefix: string, path: string): string[] {
  const names = path.slice(prefix.length).split("/").slice(0, -1);
  return names.map((_name, index) => prefix + names.slice(0, index + 1).join("/"));
}

function notFound(path: string): Failure {
  return new Failure("not_found", `There is no ${FOLDER_PATH}/${path}.`, {
    hint: "Look at the directory with file_list.",
  });
}
