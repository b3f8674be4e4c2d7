import { z } from "zod";

/** docs/storage.md describes this format; a change of meaning needs a new number. */
export const FORMAT = 1;

export const HEAD_KEY = "head.json";
export const MANIFEST_PREFIX = "manifests/";
export const BLOB_PREFIX = "blobs/";

/** Content of one blob, decoded. Bytes. */
export const MOST_BLOB_BYTES = 8 * 1024 * 1024;
/** One file. Larger ones belong into the mounted folder. Bytes. */
export const MOST_FILE_BYTES = 1024 * 1024 * 1024;
/** Entries of one generation. */
export const MOST_FILES = 200_000;

export const shaSchema = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal");
export const blobNameSchema = z.string().regex(/^[0-9a-f]{64}(\.\d{1,4})?$/, "must be the name of a blob");
export const generationSchema = z.string().regex(/^\d{8}$/, "must be a generation: eight digits");

const ROOTS = ["workspace", "state", "conversations"] as const;

/** A path as a generation names it: root first, no part that leads elsewhere. */
export const pathSchema = z
  .string()
  .max(2048, "is too long")
  .refine(isKeptPath, "must begin with workspace/, state/ or conversations/ and contain no . or .. part");

function isKeptPath(path: string): boolean {
  const [root, ...rest] = path.split("/");
  return (
    ROOTS.some((known) => known === root) &&
    rest.length > 0 &&
    rest.every((part) => part !== "" && part !== "." && part !== "..") &&
    !path.includes("\0")
  );
}

const count = z.number().int().nonnegative();

const pieceSchema = z.object({ blob: blobNameSchema, offset: count, length: count });

/** Beyond this no calendar has words for a time, though a disk may have it. Milliseconds from 1970. */
const MOST_TIME_MS = 8.64e15;

/** When a file was changed, in milliseconds since 1970. What is beyond any calendar is taken for its end. */
export const modifiedSchema = z.number().transform((at) => Math.min(Math.max(at, -MOST_TIME_MS), MOST_TIME_MS));

const common = { path: pathSchema, mode: count.max(0o7777), modified: modifiedSchema };

export const entrySchema = z.discriminatedUnion("kind", [
  z.object({
    ...common,
    kind: z.enum(["file", "database"]),
    size: count.max(MOST_FILE_BYTES),
    sha256: shaSchema,
    pieces: z.array(pieceSchema),
  }),
  z.object({ ...common, kind: z.literal("link"), target: z.string().max(4096) }),
  z.object({ ...common, kind: z.literal("directory") }),
]);

/** One file, link or empty directory of a generation. */
export type Entry = z.output<typeof entrySchema>;
export type FileEntry = Extract<Entry, { kind: "file" | "database" }>;

export const treeSchema = z.array(entrySchema);

export const REASONS = ["change", "stop", "restore", "import"] as const;
export type Reason = (typeof REASONS)[number];

export const manifestSchema = z.object({
  format: z.literal(FORMAT),
  generation: generationSchema,
  parent: generationSchema.nullable(),
  /** Milliseconds since 1970. */
  at: z.number(),
  fence: count,
  reason: z.enum(REASONS),
  shards: count.min(1),
  trees: z.array(blobNameSchema),
  files: count,
  bytes: count,
});
export type Manifest = z.output<typeof manifestSchema>;

export const headSchema = z.object({
  format: z.literal(FORMAT),
  generation: generationSchema,
  fence: count,
  at: z.number(),
});
export type Head = z.output<typeof headSchema>;

export function blobKey(name: string): string {
  return `${BLOB_PREFIX}${name.slice(0, 2)}/${name}`;
}

export function manifestKey(generation: string): string {
  return `${MANIFEST_PREFIX}${generation}.json`;
}

export function generationOf(number: number): string {
  return String(number).padStart(8, "0");
}

/** Every number of trees divides it. */
export const MOST_SHARDS = 256;
const GIB = 1024 * 1024 * 1024;

/** How many trees the entries are divided among, so that each of them is one blob. A large file's entry is long: it names its pieces. */
export function shardCount({ files, bytes }: { files: number; bytes: number }): number {
  if (files <= 512 && bytes <= 2 * GIB) return 1;
  return files <= 32_768 && bytes <= 64 * GIB ? 64 : MOST_SHARDS;
}

/** The blobs that an entry's content is in. */
export function blobsOf(entry: Entry): string[] {
  return entry.kind === "file" || entry.kind === "database" ? entry.pieces.map(({ blob }) => blob) : [];
}
