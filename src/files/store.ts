import { Failure } from "../core/failure.ts";
import { FOLDER_PREFIX, isFilePath } from "./folder.ts";

/** A file of the folder. */
export interface FolderFile {
  /** Within the folder: "videos/a.mp4". */
  path: string;
  /** Bytes. */
  size: number;
  modified: Date;
}

export interface OpenFile extends FolderFile {
  etag: string;
  /** From the byte that was asked for on. Empty when the file is not that long. */
  content: ReadableStream<Uint8Array>;
}

/** Keys that one question lists. */
const PAGE = 1000;

/** The folder for large files, as it lies in the bucket: read here without the container. */
export class FolderStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  /** One page of the files whose path begins with `prefix`, and of the folders in between where `flat` is not wanted. */
  async page(
    prefix: string,
    { cursor, flat }: { cursor?: string | undefined; flat: boolean },
  ): Promise<{ files: FolderFile[]; folders: string[]; cursor: string | undefined }> {
    const found = await this.#ask(prefix, () =>
      this.#bucket.list({
        prefix: FOLDER_PREFIX + prefix,
        limit: PAGE,
        ...(flat ? {} : { delimiter: "/" }),
        ...(cursor === undefined ? {} : { cursor }),
      }),
    );
    return {
      // A key that ends in a slash is how a mounted bucket remembers a folder.
      files: found.objects.filter(({ key }) => !key.endsWith("/")).map(fileOf),
      folders: found.delimitedPrefixes.map((key) => key.slice(FOLDER_PREFIX.length, -1)),
      cursor: found.truncated ? found.cursor : undefined,
    };
  }

  /** Undefined when there is no such file. */
  async stat(path: string): Promise<(FolderFile & { etag: string }) | undefined> {
    if (!isFilePath(path)) return undefined;
    const object = await this.#ask(path, () => this.#bucket.head(FOLDER_PREFIX + path));
    return object ? { ...fileOf(object), etag: object.httpEtag } : undefined;
  }

  /** Undefined when there is no such file. `length` left out: to the end. */
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
