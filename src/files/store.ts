import { Failure } from "../core/failure.ts";
import type { Folder, FolderFile, OpenFile } from "./access.ts";
import { FOLDER_PREFIX, isFilePath, mayBegin } from "./folder.ts";

/** Keys that one question lists. */
const PAGE = 1000;

/** The folder as the bucket has it. */
export class FolderStore implements Folder {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async page(
    prefix: string,
    { cursor, flat }: { cursor?: string | undefined; flat: boolean },
  ): Promise<{ files: FolderFile[]; folders: string[]; cursor: string | undefined }> {
    if (!mayBegin(prefix)) return { files: [], folders: [], cursor: undefined };
    const list = (more: { cursor?: string }) =>
      this.#bucket.list({
        prefix: FOLDER_PREFIX + prefix,
        limit: PAGE,
        ...(flat ? {} : { delimiter: "/" }),
        ...more,
      });
    const found =
      cursor === undefined
        ? await this.#ask(prefix, () => list({}))
        : // The bucket says no more than that it failed, and a cursor that it did not give is the likelier reason.
          await list({ cursor }).catch((cause: unknown) => {
            throw new Failure("invalid_input", "The list cannot be gone on with from there.", {
              hint: "Begin again without a cursor.",
              cause,
            });
          });
    return {
      // A key that ends in a slash is how a mounted bucket remembers a folder.
      files: found.objects.filter(({ key }) => !key.endsWith("/")).map(fileOf),
      folders: found.delimitedPrefixes.map((key) => key.slice(FOLDER_PREFIX.length, -1)),
      cursor: found.truncated ? found.cursor : undefined,
    };
  }

  async stat(path: string): Promise<(FolderFile & { etag: string }) | undefined> {
    if (!isFilePath(path)) return undefined;
    const object = await this.#ask(path, () => this.#bucket.head(FOLDER_PREFIX + path));
    return object ? { ...fileOf(object), etag: object.httpEtag } : undefined;
  }

  async open(path: string, { offset, length }: { offset: number; length?: number }): Promise<OpenFile | undefined> {
    if (offset > 0) {
      // R2 refuses a range that begins behind the end.
      const stat = await this.stat(path);
      if (!stat || offset >= stat.size) return stat && { ...stat, content: nothing() };
    }
    if (!isFilePath(path)) return undefined;
    const range = { offset, ...(length === undefined ? {} : { length }) };
    const whole = offset === 0 && length === undefined;
    const object = await this.#ask(path, () => this.#bucket.get(FOLDER_PREFIX + path, whole ? {} : { range }));
    return object ? { ...fileOf(object), etag: object.httpEtag, content: object.body } : undefined;
  }

  async #ask<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new Failure("unavailable", `The storage of large files did not answer for ${path || "the folder"}.`, {
        hint: "Try again in a minute.",
        cause,
      });
    }
  }
}

function fileOf({ key, size, uploaded }: R2Object): FolderFile {
  return { path: key.slice(FOLDER_PREFIX.length), size, modified: uploaded };
}

function nothing(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
