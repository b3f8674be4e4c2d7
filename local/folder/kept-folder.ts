import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isFilePath } from "../../src/files/folder.ts";
import type { RemoteFolder } from "./remote.ts";
import { type FoundFile, type Skipped, walk } from "./walk.ts";

/** What one put into a bucket may hold. Bytes. */
const MOST_BYTES = 4.9 * 1024 ** 3;
/** Between two looks. A large folder is looked at less often: looking takes at most a twentieth of the time. */
const LOOK_EVERY_MS = 1_000;
const REST = 20;

/**
 * The folder for large files on this machine: it outlives every container, and what is in it is brought to the bucket, from
 * where it is read. One way only, as long as the folder is there; when it is not, it is filled from the bucket first, so
 * that a lost folder is never taken for a deleted one.
 */
export class KeptFolder {
  readonly path: string;
  readonly #remote: RemoteFolder;
  readonly #log: (line: string) => void;
  /** What the bucket has: path → stamp. */
  #kept: Map<string, string> | undefined;
  /** What was there at the last look: a file that still changes is left to the next one. */
  #seen = new Map<string, string>();
  readonly #said = new Set<string>();
  #watchers = 0;
  /** Of the present look, what went into uploads. */
  #bringingMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, remote: RemoteFolder, log: (line: string) => void) {
    this.path = path;
    this.#remote = remote;
    this.#log = log;
  }

  /** Before a container sees it. */
  async open(): Promise<void> {
    if (existsSync(this.path)) return;
    const draft = `${this.path}.filling`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true, mode: 0o755 });
    for (const { path } of await this.#remote.list()) {
      const file = join(draft, path);
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await this.#remote.get(path), createWriteStream(file, { flags: "wx", mode: 0o644 }));
    }
    await rename(draft, this.path);
  }

  /** From now on, until as many `settle`, what changes is brought to the bucket. */
  watch(): void {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#lookIn(LOOK_EVERY_MS);
  }

  /** A container has ended: all that it left is brought there. */
  async settle(): Promise<void> {
    this.#watchers -= 1;
    if (this.#watchers === 0) clearTimeout(this.#timer);
    await this.#look(true);
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => void this.#lookAround(), ms);
  }

  async #lookAround(): Promise<void> {
    const started = performance.now();
    this.#bringingMs = 0;
    await this.#look(false);
    const lookingMs = performance.now() - started - this.#bringingMs;
    if (this.#watchers > 0) this.#lookIn(Math.max(LOOK_EVERY_MS, lookingMs * REST));
  }

  /** One look after the other. What fails is said and left to the next one. */
  #look(isLast: boolean): Promise<void> {
    this.#last = this.#last
      .then(() => this.#bring(isLast))
      .catch((error: unknown) => {
        this.#kept = undefined;
        this.#say(`it cannot be brought to the bucket: ${error instanceof Error ? error.message : String(error)}`);
      });
    return this.#last;
  }

  async #bring(isLast: boolean): Promise<void> {
    this.#kept ??= new Map((await this.#remote.list()).map(({ path, stamp }) => [path, stamp]));
    const kept = this.#kept;
    const seen = new Map<string, string>();
    const hidden: string[] = [];
    const skip = (path: string, why: Skipped) => {
      this.#say(`${path} is not kept: it is ${why}`);
      if (why === "too deep" || why === "not to be read") hidden.push(path);
    };
    for await (const found of walk(this.path, skip)) {
      const stamp = stampOf(found);
      seen.set(found.path, stamp);
      if (kept.get(found.path) === stamp || !this.#canBeKept(found)) continue;
      if (isLast || this.#seen.get(found.path) === stamp) await this.#put(found, stamp, kept);
    }
    this.#seen = seen;
    for (const path of kept.keys()) {
      // What cannot be seen is not gone.
      if (seen.has(path) || hidden.some((above) => path === above || path.startsWith(`${above}/`))) continue;
      await this.#remote.remove(path);
      kept.delete(path);
    }
  }

  async #put({ path, stat: { size }, handle }: FoundFile, stamp: string, kept: Map<string, string>): Promise<void> {
    const started = performance.now();
    const range = { start: 0, end: size - 1, autoClose: false };
    const content = size === 0 ? Readable.from([]) : handle.createReadStream(range);
    await this.#remote.put({ path, size, stamp }, content);
    this.#bringingMs += performance.now() - started;
    const after = stampOf({ stat: await handle.stat() });
    // Changed meanwhile: what was brought may be half of each, and is brought again.
    kept.set(path, after === stamp ? stamp : "");
  }

  #canBeKept({ path, stat: { size } }: FoundFile): boolean {
    if (size > MOST_BYTES) this.#say(`${path} is not kept: it has ${size} bytes, ${MOST_BYTES} is the most`);
    if (!isFilePath(path)) this.#say(`${path} is not kept: its path is too long`);
    return size <= MOST_BYTES && isFilePath(path);
  }

  /** Once: it is looked at every second. */
  #say(what: string): void {
    if (this.#said.has(what)) return;
    this.#said.add(what);
    this.#log(`files: ${what}`);
  }
}

/** The time of change is nobody's to set. */
function stampOf({ stat: { size, mtimeMs, ctimeMs } }: Pick<FoundFile, "stat">): string {
  return `${size} ${mtimeMs} ${ctimeMs}`;
}
