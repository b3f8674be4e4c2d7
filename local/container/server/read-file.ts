import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { encodeEvent, type ServerEvent } from "./event-stream.ts";
import { failure, messageOf } from "./failure.ts";
import { contentKind, type ContentKind } from "./mime.ts";

const CHUNK_BYTES = 64 * 1024;
/** Divisible by three, so that the base64 of every chunk but the last has no padding. */
const EVENT_BYTES = 65_535;
const KIND_BYTES = 4096;

/** Opens a regular file. A pipe or device would block or never end; O_NONBLOCK keeps even the open from waiting. */
async function openRegular(path: string): Promise<{ file: FileHandle; size: number }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = await file.stat();
    if (info.isDirectory()) throw failure("IS_DIRECTORY", `'${path}' is a directory`, { path, operation: "file.read" });
    if (!info.isFile())
      throw failure("FILESYSTEM_ERROR", `'${path}' is not a regular file`, { path, operation: "file.read" });
    return { file, size: info.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The whole file. Read to its end and not to its size: files under /proc have none. */
export async function readBytes(path: string, limit: number): Promise<Buffer> {
  const { file, size } = await openRegular(path);
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    for (let expected = size; ; expected = 0) {
      if (total + expected > limit) {
        throw failure("FILE_TOO_LARGE", `'${path}' is larger than ${limit} bytes. Read it with encoding 'none'.`, {
          path,
          operation: "file.read",
          actualSize: size,
          maxSize: limit,
        });
      }
      const chunk = Buffer.allocUnsafe(Math.max(expected, CHUNK_BYTES));
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return Buffer.concat(chunks);
      total += bytesRead;
      chunks.push(chunk.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

export function readKind(path: string, bytes: Buffer): ContentKind {
  return contentKind(path, bytes.subarray(0, KIND_BYTES));
}

async function openWithKind(path: string): Promise<{ file: FileHandle; size: number; kind: ContentKind }> {
  const { file, size } = await openRegular(path);
  try {
    const start = Buffer.alloc(KIND_BYTES);
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return { file, size, kind: contentKind(path, start.subarray(0, bytesRead)) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The file's bytes as a stream, read as fast as they are taken. */
export async function readStream(
  path: string,
): Promise<{ content: ReadableStream<Uint8Array>; size: number; kind: ContentKind }> {
  const { file, size, kind } = await openWithKind(path);
  let position = 0;
  const content = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = new Uint8Array(CHUNK_BYTES);
        const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
        position += bytesRead;
        if (bytesRead > 0) return controller.enqueue(chunk.subarray(0, bytesRead));
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      await file.close();
    },
    cancel: () => file.close(),
  });
  return { content, size, kind };
}

/** The file as server-sent events: `metadata`, `chunk`s (text, or base64 when binary), `complete`. */
export async function fileEvents(path: string): Promise<ReadableStream<Uint8Array>> {
  const { file, size, kind } = await openWithKind(path);
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(EVENT_BYTES);
  let bytesRead = 0;

  /** The next events, and whether they are the last. */
  async function next(): Promise<{ events: ServerEvent[]; last: boolean }> {
    const { bytesRead: length } = await file.read(buffer, 0, buffer.length, bytesRead);
    bytesRead += length;
    const bytes = buffer.subarray(0, length);
    const data = kind.isBinary ? bytes.toString("base64") : decoder.decode(bytes, { stream: length > 0 });
    const chunks = data === "" ? [] : [{ type: "chunk", data }];
    return length > 0
      ? { events: chunks, last: false }
      : { events: [...chunks, { type: "complete", bytesRead }], last: true };
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(
        encodeEvent({ type: "metadata", ...kind, size, encoding: kind.isBinary ? "base64" : "utf-8" }),
      );
    },
    async pull(controller) {
      const { events, last } = await next().catch((error: unknown) => ({
        events: [{ type: "error", error: messageOf(error) }],
        last: true,
      }));
      for (const event of events) controller.enqueue(encodeEvent(event));
      if (!last) return;
      controller.close();
      await file.close();
    },
    cancel: () => file.close(),
  });
}
