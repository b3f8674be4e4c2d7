import { lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../../src/memory/format.ts";
import { BridgeError } from "./bridge.ts";
import { Conversations } from "./conversations.ts";
import { copyDatabase } from "./database.ts";
import { type Found, stampOf, statOf } from "./scan.ts";
import type { Settings } from "./settings.ts";
import type { Content, Uploads } from "./uploads.ts";

/** As src/memory/format.ts has it; the folder for large files takes larger ones. */
const MOST_FILE_BYTES = 1024 * 1024 * 1024;
/** As src/memory/format.ts has it. */
const MOST_PATH_LENGTH = 2048;
/** The clock of a disk's times is as coarse as this: two writes within it may leave the same time. Milliseconds. */
const TICK_MS = 20;

/** What a file has become: its next entry, or why it has none. */
export type Taken =
  | { entry: Entry; settled: boolean }
  /** It cannot be kept. */
  | { reason: string }
  /** It is gone again. */
  | undefined;

/** Makes entries of what was found on the disk, and has their content uploaded. */
export class Copies {
  readonly #settings: Settings;
  readonly #uploads: Uploads;
  readonly #conversations: Conversations;
  /** Why the conversations of a database could not be written as text, by its path. */
  readonly untold = new Map<string, string>();

  constructor(settings: Settings, uploads: Uploads) {
    this.#settings = settings;
    this.#uploads = uploads;
    this.#conversations = new Conversations(settings.roots.conversations);
  }

  async take(found: Found): Promise<Taken> {
    const { path, mode, modified, kind } = found;
    if (path.length > MOST_PATH_LENGTH) {
      return { reason: `Its path has ${path.length} characters; a kept file's may have ${MOST_PATH_LENGTH}.` };
    }
    const common = { path, mode, modified };
    if (kind === "directory") return { entry: { ...common, kind }, settled: true };
    if (kind === "link") return { entry: { ...common, kind, target: found.target ?? "" }, settled: true };
    if (found.size > MOST_FILE_BYTES) return { reason: tooLarge(found.size) };
    try {
      const { content, settled } = kind === "database" ? await this.#database(found) : await this.#file(found);
      return { entry: { ...common, kind, ...content }, settled };
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      return statOf(found.disk) ? { reason: messageOf(error) } : undefined;
    }
  }

  async #file({ disk, size }: Found): Promise<{ content: Content; settled: boolean }> {
    for (let attempt = 1; ; attempt++) {
      const before = lstatSync(disk);
      const fresh = isFresh(before.ctimeMs);
      const content = await this.#uploads.read(disk, attempt === 1 ? size : Math.min(before.size, MOST_FILE_BYTES));
      const settled = stampOf(before) === stampOf(lstatSync(disk));
      if (settled) return { content, settled: !fresh };
      // A file that never rests, such as a log, is kept as it was read, and looked at again.
      if (attempt === 3) return { content, settled };
    }
  }

  /** Whatever is written to it meanwhile shows in its stamp the next time. */
  async #database({ disk, path }: Found): Promise<{ content: Content; settled: boolean }> {
    const copy = join(this.#settings.home, "copy.sqlite");
    const changed = Math.max(lstatSync(disk).ctimeMs, statOf(`${disk}-wal`)?.ctimeMs ?? 0);
    const settled = !isFresh(changed);
    try {
      await copyDatabase(disk, copy);
      const { size } = lstatSync(copy);
      if (size > MOST_FILE_BYTES) throw new Error(tooLarge(size));
      const content = await this.#uploads.read(copy, size);
      this.#tell(path, copy);
      return { content, settled };
    } finally {
      rmSync(copy, { force: true });
    }
  }

  /** A database whose conversations nobody can read, as a new gateway may have it, is a database to keep all the same. */
  #tell(path: string, copy: string): void {
    try {
      this.#conversations.export(path, copy);
      this.untold.delete(path);
    } catch (error) {
      this.untold.set(path, `It is kept; its conversations cannot be searched or read: ${messageOf(error)}`);
    }
  }
}

/** Whether one more write could still leave the time that was seen. */
function isFresh(changedMs: number): boolean {
  return Math.abs(Date.now() - changedMs) < TICK_MS;
}

function tooLarge(bytes: number): string {
  return `It has ${bytes} bytes; a kept file may have ${MOST_FILE_BYTES}.`;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 400);
}
