import type { Reply } from "../core/reply.ts";
import type { Entry, Manifest, Reason } from "./format.ts";
import type { Hit, Kind } from "./search/hit.ts";

/** One path's next entry, or null when it is gone. */
export interface Change {
  path: string;
  entry: Entry | null;
}

export interface Begun {
  /** What every call of this container start carries. */
  fence: number;
  /** Null for a bot that has no memory yet. */
  head: Manifest | null;
}

export interface Wanted {
  /** SHA-256 of content → the blob that holds it already. */
  known: Record<string, string>;
  /** SHA-256 of content → the name to upload it under. */
  upload: Record<string, string>;
}

export interface CommitRequest {
  fence: number;
  /** The generation that is changed; null for the first one. */
  base: string | null;
  reason: Reason;
  /** How many changes were staged for it. When there are not so many any more, all have to be brought again. */
  staged: number;
  /** The rest of them. */
  changes: readonly Change[];
  /** When the oldest change in it happened. Milliseconds since 1970. */
  oldestChangeAt: number;
}

/** What the keeper says of itself between commits. */
export interface KeeperReport {
  /** Why it cannot commit; null when all is well. */
  problem: string | null;
  /** Files that are not kept, each with the reason. */
  skipped: readonly { path: string; reason: string }[];
}

/** What the container may ask of the memory object. */
export interface MemoryWriter {
  begin(): Promise<Reply<Begun>>;
  head(fence: number): Promise<Reply<{ head: Manifest | null }>>;
  want(fence: number, contents: readonly string[]): Promise<Reply<Wanted>>;
  stored(fence: number, name: string, bytes: number): Promise<Reply<void>>;
  /** Changes too many for one commit: kept until the commit that follows. */
  stage(fence: number, changes: readonly Change[]): Promise<Reply<void>>;
  commit(request: CommitRequest): Promise<Reply<Manifest>>;
  report(fence: number, report: KeeperReport): Promise<Reply<void>>;
  /** Says that a blob is not what it should be; answers with the newest generation that does without it. */
  damaged(name: string): Promise<Reply<{ sound: string | null }>>;
  manifest(generation: string): Promise<Reply<Manifest>>;
}

/** Content that is stored and that nothing refers to yet. */
export interface ImportedTrees {
  shards: number;
  /** Blobs, one for each shard. */
  trees: readonly string[];
}

/** How an archive's content gets to its blobs, beside whatever the container commits meanwhile. */
export interface MemoryImporter {
  offer(contents: readonly string[]): Promise<Reply<Wanted>>;
  arrived(name: string, bytes: number): Promise<Reply<void>>;
}

/** What exports and imports ask of the memory object. */
export interface MemoryArchive extends MemoryImporter {
  manifest(generation: string): Promise<Reply<Manifest>>;
  /** Makes stored trees the present generation. As with `restore`, the container has to be stopped. */
  takeIn(content: ImportedTrees): Promise<Reply<Generation>>;
}

export interface Generation {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  reason: Reason;
  files: number;
  bytes: number;
}

export interface MemoryStatus {
  /** Null before the first commit. */
  head: Generation | null;
  /** How long the oldest change of the last commit had waited for it. Milliseconds. */
  lagMs: number | null;
  generations: number;
  /** Stored objects of all generations, and their bytes. */
  blobs: number;
  storedBytes: number;
  /** Milliseconds since 1970. */
  nextPrune: number | null;
  problem: string | null;
  skipped: readonly { path: string; reason: string }[];
}

export interface SearchRequest {
  /** The person's part of the names of their conversations. */
  reader: string;
  query: string;
  limit: number;
  kinds: readonly Kind[];
  /** ISO 8601; empty for all times. */
  since: string;
}

export interface MemoryFile {
  path: string;
  size: number;
  /** Milliseconds since 1970. */
  modified: number;
}

/** What is known of the bot without its container. */
export interface MemoryReader {
  /** `behind`: changes were committed that the index does not have yet. */
  search(request: SearchRequest): Promise<Reply<{ hits: Hit[]; behind: boolean }>>;
  read(request: {
    reader: string;
    path: string;
    generation?: string;
    offset: number;
    limit: number;
  }): Promise<Reply<MemoryFile & { bytes: Uint8Array }>>;
  list(request: {
    reader: string;
    prefix: string;
    generation?: string;
    after: string;
    limit: number;
  }): Promise<Reply<{ files: MemoryFile[]; more: boolean }>>;
  generations(): Promise<Reply<Generation[]>>;
  restore(generation: string): Promise<Reply<Generation>>;
  status(): Promise<Reply<MemoryStatus>>;
}
