import { createTarPacker, type TarHeader, type TarPackController } from "modern-tar";
import { log } from "../../core/log.ts";
import type { Entry, Manifest } from "../format.ts";
import type { MemoryStore } from "../store.ts";
import { CONTENTS_NAME, contentsOf, writeContents } from "./contents.ts";

/** Decoded blobs that are kept for the next file: small files share packs. Bytes. */
const KEPT_BYTES = 24 * 1024 * 1024;

/** A generation as a tar.gz, read out of the bucket as fast as it is taken. What cannot be read breaks it off. */
export async function exportArchive(
  { generation, at, trees }: Pick<Manifest, "generation" | "at" | "trees">,
  store: MemoryStore,
): Promise<ReadableStream<Uint8Array>> {
  const entries: Entry[] = [];
  for (const tree of trees) for (const entry of await store.tree(tree)) entries.push(entry);
  const { readable, controller } = createTarPacker();
  writeAll(entries, { generation, at }, store, controller).catch((error: unknown) => {
    log("error", "memory.export", { generation, cause: error });
    controller.error(error);
  });
  return readable.pipeThrough(new CompressionStream("gzip"));
}

async function writeAll(
  entries: readonly Entry[],
  facts: { generation: string; at: number },
  store: MemoryStore,
  tar: TarPackController,
): Promise<void> {
  const contents = contentsOf(entries, facts);
  const written = writeContents(contents);
  await add(tar, { name: CONTENTS_NAME, size: written.byteLength, mode: 0o644, mtime: new Date(facts.at) }, [written]);
  const blob = remembering((name) => store.blob(name));
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const item of contents.files) {
    const entry = byPath.get(item.path);
    const header = { name: item.path, size: 0, mode: item.mode, mtime: tarTime(item.modified) };
    if (item.kind === "link") await add(tar, { ...header, type: "symlink", linkname: item.target }, []);
    else if (item.kind === "directory") await add(tar, { ...header, name: `${item.path}/`, type: "directory" }, []);
    else if (entry?.kind === "file" || entry?.kind === "database") {
      await add(tar, { ...header, size: item.size }, piecesOf(entry.pieces, blob));
    }
  }
  tar.finalize();
}

/** What a tar has room for: seconds in eleven octal digits. The exact time is in the contents. */
function tarTime(modified: number): Date {
  return new Date(Math.min(Math.max(0, modified), (8 ** 11 - 1) * 1000));
}

async function* piecesOf(
  pieces: readonly { blob: string; offset: number; length: number }[],
  blob: (name: string) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (const { blob: name, offset, length } of pieces) yield (await blob(name)).subarray(offset, offset + length);
}

async function add(
  tar: TarPackController,
  header: TarHeader,
  body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const writer = tar.add(header).getWriter();
  for await (const part of body) await writer.write(part);
  await writer.close();
}

/** The blobs used last, up to KEPT_BYTES of them. */
function remembering(read: (name: string) => Promise<Uint8Array>): (name: string) => Promise<Uint8Array> {
  const kept = new Map<string, Uint8Array>();
  let bytes = 0;
  return async (name) => {
    const known = kept.get(name);
    const content = known ?? (await read(name));
    kept.delete(name);
    kept.set(name, content);
    if (!known) bytes += content.byteLength;
    for (const [oldest, { byteLength }] of kept) {
      if (bytes <= KEPT_BYTES) break;
      kept.delete(oldest);
      bytes -= byteLength;
    }
    return content;
  };
}
