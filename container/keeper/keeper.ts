import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Change } from "../../src/memory/access.ts";
import type { Entry, Reason } from "../../src/memory/format.ts";
import { type Bridge, BridgeError } from "./bridge.ts";
import { Conversations } from "./conversations.ts";
import { copyDatabase } from "./database.ts";
import { writeMark } from "./disk-mark.ts";
import { diskPath } from "./roots.ts";
import { type Found, scan, scanPath, stampOf } from "./scan.ts";
import type { Settings } from "./settings.ts";
import { Uploads } from "./uploads.ts";

/** As src/memory/format.ts has it; the mounted folder takes larger ones. */
const MOST_FILE_BYTES = 1024 * 1024 * 1024;
const CHANGES_AT_ONCE = 2_000;
const MOST_REPORTED = 50;
/** Restored files carry the time of the original; one that was changed just before a commit may have been changed just after too. */
const RACY_MS = 2_000;

interface Known {
  /** Undefined: the entry is the head's, and whether the disk still has it is not known. */
  stamp: string | undefined;
  entry: Entry;
}

/** Brings what changed on the disk into the next generation. One call at a time. */
export class Keeper {
  readonly #bridge: Bridge;
  readonly #settings: Settings;
  readonly #fence: number;
  readonly #uploads: Uploads;
  readonly #conversations: Conversations;
  readonly #index = new Map<string, Known>();
  readonly #skipped = new Map<string, string>();
  #generation: string | null = null;

  constructor(settings: Settings, bridge: Bridge, fence: number) {
    this.#settings = settings;
    this.#bridge = bridge;
    this.#fence = fence;
    this.#uploads = new Uploads(bridge, fence);
    this.#conversations = new Conversations(settings.roots.conversations);
    mkdirSync(settings.roots.conversations, { recursive: true });
  }

  get skipped(): { path: string; reason: string }[] {
    return [...this.#skipped].slice(0, MOST_REPORTED).map(([path, reason]) => ({ path, reason }));
  }

  /** Learns what the present generation holds. */
  async meet(): Promise<void> {
    const { head } = await this.#bridge.head(this.#fence);
    const entries = head ? await this.#bridge.entries(head.generation) : [];
    const before = new Map(this.#index);
    this.#index.clear();
    this.#uploads.learn(entries);
    for (const entry of entries) {
      const known = before.get(entry.path);
      const stamp = known && sameContent(known.entry, entry) ? known.stamp : this.#stampOf(entry, head?.at ?? 0);
      this.#index.set(entry.path, { stamp, entry });
    }
    this.#generation = head?.generation ?? null;
  }

  /**
   * Commits what changed at these paths, or anywhere. Resolves with the directories that were seen, and the paths that
   * have to be looked at again because they changed while they were read.
   */
  async keep(
    paths: ReadonlySet<string> | "all",
    { reason, oldestChangeAt }: { reason: Reason; oldestChangeAt: number },
  ): Promise<{ directories: string[]; unsettled: string[] }> {
    const seen = paths === "all" ? scan(this.#settings.roots) : this.#scanSome(paths);
    const changes = new Map<string, { stamp: string | undefined; entry: Entry | null }>();
    const unsettled: string[] = [];
    const take = async (found: Found) => {
      if (this.#index.get(found.path)?.stamp === found.stamp) return;
      const taken = await this.#take(found);
      if (taken === undefined) return;
      if (taken.settled) changes.set(found.path, { stamp: found.stamp, entry: taken.entry });
      else {
        changes.set(found.path, { stamp: undefined, entry: taken.entry });
        unsettled.push(found.path);
      }
    };
    for (const found of seen.found.values()) await take(found);
    if ([...changes.keys()].some((path) => path.startsWith("state/agents/"))) {
      // The copy of an agent's database has just been written out as text.
      for (const found of scanPath(this.#settings.roots, "conversations").found.values()) {
        seen.found.set(found.path, found);
        await take(found);
      }
    }
    for (const path of this.#gone(paths, seen.found)) changes.set(path, { stamp: undefined, entry: null });
    await this.#uploads.settle();
    await this.#commit(changes, reason, oldestChangeAt);
    return { directories: seen.directories, unsettled };
  }

  #scanSome(paths: ReadonlySet<string>) {
    const found = new Map<string, Found>();
    const directories: string[] = [];
    for (const path of paths) {
      const part = scanPath(this.#settings.roots, path);
      for (const [name, one] of part.found) found.set(name, one);
      directories.push(...part.directories);
    }
    return { found, directories };
  }

  #gone(paths: ReadonlySet<string> | "all", found: ReadonlyMap<string, Found>): string[] {
    const known = [...this.#index.keys()].filter((path) => !found.has(path));
    if (paths === "all") return known;
    return known.filter((path) => {
      for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
        if (paths.has(at)) return true;
      }
      return false;
    });
  }

  /** The file's next entry; undefined when it is as it was, cannot be kept, or is gone again. */
  async #take(found: Found): Promise<{ entry: Entry; settled: boolean } | undefined> {
    const { path, mode, modified, kind } = found;
    const common = { path, mode, modified };
    if (kind === "directory") return this.#unlessSame(found, { ...common, kind });
    if (kind === "link") return this.#unlessSame(found, { ...common, kind, target: found.target ?? "" });
    if (found.size > MOST_FILE_BYTES) {
      this.#skipped.set(path, `It has ${found.size} bytes; a kept file may have ${MOST_FILE_BYTES}.`);
      return undefined;
    }
    try {
      const { content, settled } = kind === "database" ? await this.#readDatabase(found) : await this.#readFile(found);
      this.#skipped.delete(path);
      const taken = this.#unlessSame(found, { ...common, kind, ...content });
      return taken && { ...taken, settled };
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      if (lstatSync(found.disk, { throwIfNoEntry: false })) this.#skipped.set(path, String(error).slice(0, 400));
      return undefined;
    }
  }

  #unlessSame(found: Found, entry: Entry): { entry: Entry; settled: boolean } | undefined {
    const known = this.#index.get(found.path);
    if (known && sameContent(known.entry, entry) && known.entry.mode === entry.mode) {
      known.stamp = found.stamp;
      return undefined;
    }
    return { entry, settled: true };
  }

  async #readFile({ disk, size }: Found) {
    for (let attempt = 1; ; attempt++) {
      const before = lstatSync(disk);
      const content = await this.#uploads.read(disk, attempt === 1 ? size : before.size);
      const settled = stampOf(before) === stampOf(lstatSync(disk));
      // A file that never rests, such as a log, is kept as it was read, and looked at again.
      if (settled || attempt === 3) return { content, settled };
    }
  }

  /** Whatever is written to it meanwhile shows in its stamp the next time. */
  async #readDatabase({ disk, path }: Found) {
    const copy = join(this.#settings.home, "copy.sqlite");
    try {
      await copyDatabase(disk, copy);
      const content = await this.#uploads.read(copy, lstatSync(copy).size);
      this.#conversations.export(path, copy);
      return { content, settled: true };
    } finally {
      rmSync(copy, { force: true });
    }
  }

  async #commit(
    changes: Map<string, { stamp: string | undefined; entry: Entry | null }>,
    reason: Reason,
    oldestChangeAt: number,
  ): Promise<void> {
    if (changes.size === 0) return;
    const waiting: Change[] = [...changes].map(([path, { entry }]) => ({ path, entry }));
    const request = { fence: this.#fence, base: this.#generation, reason, oldestChangeAt };
    try {
      while (waiting.length > CHANGES_AT_ONCE) {
        await this.#bridge.stage(this.#fence, waiting.splice(0, CHANGES_AT_ONCE));
      }
      this.#generation = (await this.#bridge.commit({ ...request, changes: waiting })).generation;
    } catch (error) {
      // A commit whose answer was lost has moved the head all the same: what the head holds now, says the head.
      if (error instanceof BridgeError && error.code === "conflict") await this.meet();
      if (error instanceof BridgeError && error.code === "invalid_input") this.#uploads.forget();
      throw error;
    }
    for (const [path, { stamp, entry }] of changes) {
      if (entry) this.#index.set(path, { stamp, entry });
      else this.#index.delete(path);
    }
    this.#uploads.learn([...changes.values()].flatMap(({ entry }) => (entry ? [entry] : [])));
    writeMark(this.#settings.home, { fence: this.#fence, generation: this.#generation, phase: "ready" });
  }

  /** A plain file with the size and time of the entry is taken to be it, as it is after a restore. */
  #stampOf(entry: Entry, committedAt: number): string | undefined {
    const found = scanPath(this.#settings.roots, entry.path).found.get(entry.path);
    if (found?.kind !== entry.kind || found.kind === "database") return undefined;
    if (entry.kind !== "file")
      return found.stamp === (entry.kind === "link" ? `link ${entry.target}` : "directory") ? found.stamp : undefined;
    const isRacy =
      entry.modified > committedAt - RACY_MS &&
      lstatSync(diskPath(this.#settings.roots, entry.path)).ctimeMs > committedAt;
    return found.size === entry.size && found.modified === entry.modified && !isRacy ? found.stamp : undefined;
  }
}

function sameContent(a: Entry, b: Entry): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === "link") return b.kind === "link" && a.target === b.target;
  if (a.kind === "directory") return true;
  return b.kind !== "link" && b.kind !== "directory" && a.sha256 === b.sha256;
}
