import { z } from "zod";
import { Failure } from "../../core/failure.ts";
import { type Entry, modifiedSchema, MOST_FILE_BYTES, MOST_FILES, pathSchema, shaSchema } from "../format.ts";

/** docs/storage.md, "Archives"; a change of meaning needs a new number. */
const ARCHIVE_FORMAT = 1;

/** The first entry of the archive: what else is in it. */
export const CONTENTS_NAME = "manifest.json";
/** Bytes. 200,000 entries are about 50 MB. */
export const MOST_CONTENTS_BYTES = 64 * 1024 * 1024;

/** All files of an archive together, unpacked: no container has a disk for more. Bytes. */
export const MOST_ARCHIVE_BYTES = 16 * 1024 * 1024 * 1024;

const common = {
  path: pathSchema,
  mode: z.number().int().min(0).max(0o7777),
  modified: modifiedSchema,
};

const itemSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...common,
    kind: z.enum(["file", "database"]),
    size: z.number().int().min(0).max(MOST_FILE_BYTES, `must be at most ${MOST_FILE_BYTES} bytes`),
    sha256: shaSchema,
  }),
  z.strictObject({ ...common, kind: z.literal("link"), target: z.string().max(4096) }),
  z.strictObject({ ...common, kind: z.literal("directory") }),
]);
export type Item = z.output<typeof itemSchema>;

const contentsSchema = z.strictObject({
  moltbot: z.literal(ARCHIVE_FORMAT),
  generation: z.string().max(40),
  /** When the generation was committed, ISO 8601. */
  at: z.string().max(40),
  files: z.array(itemSchema).max(MOST_FILES),
  /** Links that lead out of their folder: they are not in the archive. */
  leftOut: z.array(z.string().max(2048)),
});
export type Contents = z.output<typeof contentsSchema>;

/** What an archive of these entries holds, ordered by path. */
export function contentsOf(
  entries: readonly Entry[],
  { generation, at }: { generation: string; at: number },
): Contents {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    moltbot: ARCHIVE_FORMAT,
    generation,
    at: new Date(at).toISOString(),
    files: sorted.filter((entry) => !isLeftOut(entry)).map(itemOf),
    leftOut: sorted.filter(isLeftOut).map(({ path }) => path),
  };
}

function isLeftOut(entry: Entry): boolean {
  return entry.kind === "link" && !staysInside(entry.path, entry.target);
}

function itemOf(entry: Entry): Item {
  const { path, mode, modified } = entry;
  switch (entry.kind) {
    case "file":
    case "database":
      return { path, kind: entry.kind, size: entry.size, mode, modified, sha256: entry.sha256 };
    case "link":
      return { path, kind: "link", mode, modified, target: entry.target };
    case "directory":
      return { path, kind: "directory", mode, modified };
  }
}

/** JSON with a line for each file. */
export function writeContents({ files, leftOut, ...facts }: Contents): Uint8Array {
  const lines = files.map((item) => JSON.stringify(item)).join(",\n");
  const head = JSON.stringify(facts).slice(0, -1);
  return new TextEncoder().encode(`${head},"leftOut":${JSON.stringify(leftOut)},"files":[\n${lines}\n]}\n`);
}

/** Checked in itself: every path is there once, none is below something that is no folder, no link leads out. */
export function readContents(text: string): Contents {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid_input", `${CONTENTS_NAME} in the archive is not JSON.`, { cause });
  }
  const parsed = contentsSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue ? `${issue.path.map(String).join(".")} ${issue.message}` : "";
    throw new Failure("invalid_input", `${CONTENTS_NAME} is not that of an export of this version: ${where}`.trim());
  }
  const bytes = bytesOf(parsed.data);
  if (bytes > MOST_ARCHIVE_BYTES) {
    throw new Failure(
      "too_large",
      `${CONTENTS_NAME} names files of ${bytes} bytes; ${MOST_ARCHIVE_BYTES} is the most.`,
    );
  }
  const paths = new Map<string, Item["kind"]>();
  for (const item of parsed.data.files) {
    if (paths.has(item.path)) throw new Failure("invalid_input", `${CONTENTS_NAME} names ${item.path} twice.`);
    paths.set(item.path, item.kind);
    if (item.kind === "link" && !staysInside(item.path, item.target)) throw leadsOut(item.path);
  }
  for (const path of paths.keys()) {
    const above = foldersOf(path).find((folder) => (paths.get(folder) ?? "directory") !== "directory");
    if (above !== undefined) {
      throw new Failure("invalid_input", `${CONTENTS_NAME} has ${path} below ${above}, which is no folder.`);
    }
  }
  return parsed.data;
}

/** Of all files in the archive, unpacked. */
export function bytesOf({ files }: Contents): number {
  return files.reduce((sum, item) => sum + (item.kind === "file" || item.kind === "database" ? item.size : 0), 0);
}

export function leadsOut(path: string): Failure {
  return new Failure("invalid_input", `The archive's link ${path} leads out of its folder.`, {
    hint: "Nothing was changed. Leave the link out of the archive.",
  });
}

/** Every folder above the path. */
export function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
}

/** Whether a link's target is in the same root as the link. */
function staysInside(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0")) return false;
  // The root itself is the outermost folder.
  let depth = path.split("/").length - 2;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return false;
  }
  return true;
}
