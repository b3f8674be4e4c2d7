import { RpcTarget } from "capnweb";
import { lstat, mkdir, rename, stat, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { failure, fileFailure } from "./failure.ts";
import { listDirectory } from "./list-directory.ts";
import { fileEvents, readBytes, readKind, readStream } from "./read-file.ts";
import type { Sessions } from "./sessions.ts";
import { moveAcross, writeBytes, writeStream } from "./write-file.ts";

/** Encoded content travels in one message: the SDK's cap. Larger files go as streams. */
const ENCODED_LIMIT = 32 * 1024 * 1024;

/** rpc group `files`. Relative paths are taken from the session's working directory. */
export class Files extends RpcTarget {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    super();
    this.#sessions = sessions;
  }

  readFile(path: string, sessionId?: string, options: { encoding?: string | undefined } = {}) {
    return this.#at(path, sessionId, "file.read", async (absolute) => {
      if (options.encoding === "none") {
        const { content, size, kind } = await readStream(absolute);
        return { success: true, path, content, size, mimeType: kind.mimeType, timestamp: now() };
      }
      const bytes = await readBytes(absolute, ENCODED_LIMIT);
      const kind = readKind(absolute, bytes);
      const binary = options.encoding === "base64" || (options.encoding === undefined && kind.isBinary);
      return {
        success: true,
        path,
        content: bytes.toString(binary ? "base64" : "utf8"),
        encoding: binary ? "base64" : "utf-8",
        isBinary: binary,
        size: bytes.length,
        mimeType: kind.mimeType,
        timestamp: now(),
      };
    });
  }

  readFileStream(path: string, sessionId?: string): Promise<ReadableStream<Uint8Array>> {
    return this.#at(path, sessionId, "file.read", fileEvents);
  }

  writeFile(
    path: string,
    content: string,
    sessionId?: string,
    options: { encoding?: string | undefined; permissions?: string | undefined } = {},
  ) {
    return this.#at(path, sessionId, "file.write", async (absolute) => {
      const base64 = options.encoding === "base64";
      if (base64 && !/^[A-Za-z0-9+/]*={0,2}$/.test(content)) {
        throw failure("VALIDATION_FAILED", `Invalid base64 content for '${path}'`, {
          validationErrors: [{ field: "content", message: "Invalid base64", code: "INVALID_BASE64" }],
        });
      }
      const bytes = Buffer.from(content, base64 ? "base64" : "utf8");
      if (bytes.length > ENCODED_LIMIT) throw tooLarge(path, bytes.length);
      const mode = options.permissions === undefined ? undefined : Number.parseInt(options.permissions, 8);
      await writeBytes(absolute, bytes, mode);
      return { success: true, path, bytesWritten: bytes.length, timestamp: now() };
    });
  }

  writeFileStream(path: string, stream: ReadableStream<Uint8Array>, sessionId?: string) {
    return this.#at(path, sessionId, "file.write", async (absolute) => {
      const bytesWritten = await writeStream(absolute, stream);
      return { success: true, path, bytesWritten, timestamp: now() };
    });
  }

  deleteFile(path: string, sessionId?: string) {
    return this.#at(path, sessionId, "file.delete", async (absolute) => {
      if ((await lstat(absolute)).isDirectory()) {
        throw failure(
          "IS_DIRECTORY",
          `Cannot delete directory with deleteFile() at '${path}'. Use exec('rm -rf <path>') instead.`,
          {
            path,
            operation: "file.delete",
          },
        );
      }
      await unlink(absolute);
      return { success: true, path, timestamp: now() };
    });
  }

  renameFile(oldPath: string, newPath: string, sessionId?: string) {
    return this.#move(oldPath, newPath, sessionId, "file.rename");
  }

  moveFile(sourcePath: string, destinationPath: string, sessionId?: string) {
    return this.#move(sourcePath, destinationPath, sessionId, "file.move");
  }

  /** As `mv`: into `to` when that is a directory, copying when the two are on different file systems. */
  #move(from: string, to: string, sessionId: string | undefined, operation: string) {
    return this.#at(from, sessionId, operation, async (source) => {
      await lstat(source);
      const destination = this.#sessions.path(to, sessionId);
      const into = await stat(destination).catch(() => undefined);
      const target = into?.isDirectory() === true ? join(destination, basename(source)) : destination;
      await rename(source, target).catch((error: unknown) => moveAcross(error, source, target));
      return { success: true, path: from, newPath: to, timestamp: now() };
    });
  }

  mkdir(path: string, sessionId?: string, options: { recursive?: boolean | undefined } = {}) {
    const recursive = options.recursive ?? false;
    return this.#at(path, sessionId, "directory.create", async (absolute) => {
      await mkdir(absolute, { recursive });
      return { success: true, path, recursive, timestamp: now() };
    });
  }

  listFiles(path: string, sessionId?: string, options: { recursive?: boolean; includeHidden?: boolean } = {}) {
    return this.#at(path, sessionId, "directory.list", async (absolute) => {
      const files = await listDirectory(absolute, options);
      return { success: true, path, files, count: files.length, timestamp: now() };
    });
  }

  exists(path: string, sessionId?: string) {
    return this.#at(path, sessionId, "file.stat", async (absolute) => {
      const exists = await stat(absolute).then(
        () => true,
        () => false,
      );
      return { success: true, path, exists, timestamp: now() };
    });
  }

  async #at<T>(
    path: string,
    sessionId: string | undefined,
    operation: string,
    act: (absolute: string) => Promise<T>,
  ): Promise<T> {
    const absolute = this.#sessions.path(path, sessionId);
    try {
      return await act(absolute);
    } catch (error) {
      throw fileFailure(error, path, operation);
    }
  }
}

function now(): string {
  return new Date().toISOString();
}

function tooLarge(path: string, actualSize: number): Error {
  return failure("FILE_TOO_LARGE", `'${path}' is larger than 32 MiB. Write it as a stream.`, {
    path,
    operation: "file.write",
    actualSize,
    maxSize: ENCODED_LIMIT,
  });
}
