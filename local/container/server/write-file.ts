import { randomUUID } from "node:crypto";
import { chmod, cp, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./failure.ts";

/** Writes a file, making the directories it needs. `mode` as in chmod, or `undefined` to leave it. */
export async function writeBytes(path: string, bytes: Buffer, mode: number | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  if (mode !== undefined && !Number.isNaN(mode)) await chmod(path, mode & 0o7777);
}

/** Streams into a temporary file beside `path` and renames it, so that nobody reads half a file. */
export async function writeStream(path: string, stream: ReadableStream<Uint8Array>): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp.${randomUUID()}`;
  const mode = await stat(path).then(
    (info) => info.mode & 0o7777,
    () => 0o666 & ~process.umask(),
  );
  const file = await open(temporary, "wx", mode);
  let written = 0;
  try {
    for await (const chunk of stream) {
      await file.writeFile(chunk);
      written += chunk.byteLength;
    }
    await file.chmod(mode);
    await file.close();
    await rename(temporary, path);
    return written;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** `rename` cannot cross file systems (home, workspace and /tmp are three): copies and removes instead. */
export async function moveAcross(error: unknown, source: string, target: string): Promise<void> {
  if (errnoOf(error) !== "EXDEV") throw error;
  await cp(source, target, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  await rm(source, { recursive: true });
}
