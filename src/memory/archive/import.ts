import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { MOST_READ_AWAY } from "../../core/body.ts";
import { Failure } from "../../core/failure.ts";
import type { ImportedTrees, MemoryImporter } from "../access.ts";
import { shardOf } from "../codec.ts";
import { type Entry, pathSchema, shardCount } from "../format.ts";
import type { MemoryStore } from "../store.ts";
import {
  bytesOf,
  type Contents,
  CONTENTS_NAME,
  foldersOf,
  type Item,
  leadsOut,
  MOST_CONTENTS_BYTES,
  readContents,
} from "./contents.ts";
import { Cutter } from "./cutter.ts";

/** What a tar adds to a file of its own: headers, padding, long names. Bytes. */
const BESIDE_A_FILE = 16 * 1024;
const NOTHING_CHANGED = "Nothing was changed.";

/**
 * Reads an archive that `exportArchive` made, checks every byte of it, and stores its content. Nothing refers to it yet:
 * `memory.takeIn` makes it a generation. A Failure says what is wrong with the archive.
 */
export async function importArchive(
  body: ReadableStream<Uint8Array>,
  memory: MemoryImporter,
  store: MemoryStore,
): Promise<ImportedTrees> {
  const allowed = { bytes: MOST_CONTENTS_BYTES + BESIDE_A_FILE };
  const tar = createTarDecoder({ strict: true });
  const gunzip = new DecompressionStream("gzip");
  const unpacked = gunzip.readable.pipeThrough(limited(allowed)).pipeTo(tar.writable);
  const feeding = feed(body, gunzip.writable);
  const fed = Promise.all([feeding, unpacked]);
  // Said by the reader below, or awaited at the end.
  fed.catch(() => undefined);
  const cutter = new Cutter(memory, store);
  const reader = tar.readable.getReader();
  try {
    const contents = await firstOf(await next(reader));
    allowed.bytes += bytesOf(contents) + BESIDE_A_FILE * contents.files.length;
    const entries = await readFiles(contents, () => next(reader), cutter);
    await fed;
    await cutter.settle();
    return await writeTrees(entries, cutter);
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    // An answer to an upload that is not read any further gets lost with the connection.
    await Promise.allSettled([fed, feeding]);
    throw error instanceof Failure ? error : broken(error);
  }
}

/** Passes the upload on; once nobody takes it any more, some of the rest is read all the same. */
async function feed(body: ReadableStream<Uint8Array>, to: WritableStream<BufferSource>): Promise<void> {
  const writer = to.getWriter();
  let refused: { cause: unknown } | undefined;
  let bytes = 0;
  for await (const part of body) {
    if (refused) bytes += part.byteLength;
    else {
      await writer.write(part).catch((cause: unknown) => {
        refused = { cause };
      });
    }
    if (bytes > MOST_READ_AWAY) break;
  }
  if (refused) throw refused.cause;
  await writer.close();
}

async function next(reader: ReadableStreamDefaultReader<ParsedTarEntry>): Promise<ParsedTarEntry | undefined> {
  const { done, value } = await reader.read();
  return done ? undefined : value;
}

async function firstOf(first: ParsedTarEntry | undefined): Promise<Contents> {
  if (first === undefined || nameOf(first) !== CONTENTS_NAME || first.header.type !== "file") {
    throw new Failure("invalid_input", `The archive does not begin with ${CONTENTS_NAME}.`, {
      hint: `It is no export of a Moltbot, or was packed anew in another order: ${CONTENTS_NAME} has to come first. ${NOTHING_CHANGED}`,
    });
  }
  if (first.header.size > MOST_CONTENTS_BYTES) {
    throw new Failure("too_large", `${CONTENTS_NAME} may have ${MOST_CONTENTS_BYTES} bytes at most.`);
  }
  return readContents(await new Response(first.body).text());
}

async function readFiles(
  { files }: Contents,
  nextEntry: () => Promise<ParsedTarEntry | undefined>,
  cutter: Cutter,
): Promise<Entry[]> {
  const expected = new Map(files.map((item) => [item.path, item]));
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const entries: Entry[] = [];
  for (let found = await nextEntry(); found; found = await nextEntry()) {
    const path = checkedPath(nameOf(found));
    const item = expected.get(path);
    if (found.header.type === "directory" && item?.kind !== "directory" && (folders.has(path) || path === "")) {
      await found.body.cancel();
      continue;
    }
    if (item === undefined) {
      const twice = entries.some((entry) => entry.path === path);
      throw new Failure(
        "invalid_input",
        `The archive has ${path} ${twice ? "twice" : `, which ${CONTENTS_NAME} does not name`}.`,
        {
          hint: NOTHING_CHANGED,
        },
      );
    }
    expected.delete(path);
    entries.push(await entryOf(item, found, cutter));
  }
  const [missing] = expected.keys();
  if (missing !== undefined) {
    throw new Failure("invalid_input", `The archive lacks ${expected.size} of its files, ${missing} for one.`, {
      hint: `It may be cut off. ${NOTHING_CHANGED}`,
    });
  }
  return entries;
}

async function entryOf(item: Item, { header, body }: ParsedTarEntry, cutter: Cutter): Promise<Entry> {
  const { path, mode, modified } = item;
  const wrong = (what: string) =>
    new Failure("invalid_input", `The archive's ${path} ${what}.`, {
      hint: `The archive is damaged, or was changed after it was made. ${NOTHING_CHANGED}`,
    });
  switch (item.kind) {
    case "directory":
      if (header.type !== "directory") throw wrong("should be a folder");
      await body.cancel();
      return { path, mode, modified, kind: "directory" };
    case "link":
      if (header.type !== "symlink") throw wrong("should be a link");
      if (header.linkname !== item.target) throw leadsOut(path);
      await body.cancel();
      return { path, mode, modified, kind: "link", target: item.target };
    case "file":
    case "database": {
      if (header.type !== "file") throw wrong("should be a file");
      if (header.size !== item.size) throw wrong(`has ${header.size} bytes and should have ${item.size}`);
      const { size, sha256, pieces } = await cutter.file(body, item.size);
      if (size !== item.size || sha256 !== item.sha256) throw wrong("does not have the content its hash says");
      return { path, mode, modified, kind: item.kind, size, sha256, pieces };
    }
  }
}

/** As `tar` itself writes them: with ./ before, and a slash behind a folder's. */
function nameOf({ header }: ParsedTarEntry): string {
  return header.name
    .replace(/^(\.\/)+/, "")
    .replace(/\/$/, "")
    .replace(/^\.$/, "");
}

function checkedPath(name: string): string {
  const isRoot = name === "" || name === "workspace" || name === "state" || name === "conversations";
  if (isRoot || pathSchema.safeParse(name).success) return name;
  throw new Failure(
    "invalid_input",
    `The archive's entry ${JSON.stringify(name.slice(0, 200))} is at no allowed place.`,
    {
      hint: `Every path begins with workspace/, state/ or conversations/ and has no . or .. part. ${NOTHING_CHANGED}`,
    },
  );
}

async function writeTrees(entries: readonly Entry[], cutter: Cutter): Promise<ImportedTrees> {
  const bytes = entries.reduce((sum, entry) => sum + ("size" in entry ? entry.size : 0), 0);
  const shards = shardCount({ files: entries.length, bytes });
  const divided = Array.from({ length: shards }, (): Entry[] => []);
  for (const entry of entries) divided[shardOf(entry.path, shards)]?.push(entry);
  const pieces = [];
  for (const tree of divided) {
    const sorted = tree.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    pieces.push(await cutter.whole(new TextEncoder().encode(JSON.stringify(sorted))));
  }
  await cutter.settle();
  return { shards, trees: pieces.map(({ blob }) => blob) };
}

/** Stops what unpacks to far more than the archive says it holds. */
function limited(allowed: { bytes: number }): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(part, controller) {
      bytes += part.byteLength;
      if (bytes > allowed.bytes) {
        throw new Failure("too_large", "The archive unpacks to more than it says it holds.", { hint: NOTHING_CHANGED });
      }
      controller.enqueue(part);
    },
  });
}

function broken(cause: unknown): Failure {
  return new Failure("invalid_input", "The archive cannot be read: it is no tar.gz, or it is damaged or cut off.", {
    hint: NOTHING_CHANGED,
    cause,
  });
}
