/** Where the container has the folder for large files. */
export const FOLDER_PATH = "/files";
/** What the bucket's keys of its files begin with. */
export const FOLDER_PREFIX = "files/";

/** Longest key that R2 takes. Bytes. */
const MOST_KEY_BYTES = 1024;

/**
 * A path of the container as one within the folder: "videos/a.mp4"; "" is the folder itself. Undefined when it leads
 * elsewhere, however it is written.
 */
export function withinFolder(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const [root, ...rest] = parts;
  return `/${root}` === FOLDER_PATH && path.startsWith("/") ? rest.join("/") : undefined;
}

/** Whether a path within the folder can be a file's: every part is a name. */
export function isFilePath(path: string): boolean {
  return (
    path !== "" &&
    !path.includes("\0") &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..") &&
    mayBegin(path)
  );
}

/** Whether any file's path within the folder can begin so: no key is longer. */
export function mayBegin(prefix: string): boolean {
  return new TextEncoder().encode(FOLDER_PREFIX + prefix).byteLength <= MOST_KEY_BYTES;
}
