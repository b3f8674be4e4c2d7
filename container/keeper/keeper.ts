import { lstatSync, mkdirSync } from "node:fs";
import type { Change } from "../../src/memory/access.ts";
import type { Entry, Reason } from "../../src/memory/format.ts";
import { type Bridge, BridgeError } from "./bridge.ts";
import { Copies } from "./copies.ts";
import { writeMark } from "./disk-mark.ts";
import { diskPath, foldersOf } from "./roots.ts";
import { type Found, scan, type Seen } from "./scan.ts";
import type { Settings } from "./settings.ts";
import { Uploads } from "./uploads.ts";

/** One message's worth of changes: the bridge takes 5,000, and 16 MiB of JSON. */
const CHANGES_AT_ONCE = 2_000;
const CHANGE_BYTES_AT_ONCE = 4 * 1024 * 1024;
const MOST_REPORTED = 50;
/** Restored files carry the time of the original; one that was changed just before a commit may have been changed just after too. */
const RACY_MS = 2_000;

interface Known {
  /** Undefined: the entry is the head's, and whether the disk still has it is not known. */
  stamp: string | undefined;
  entry: Entry;
}

interface NextEntry {
  stamp: string | undefined;
  /** Null when it is gone. */
  entry: Entry | null;
}

export interface Kept {
  /** Those that were seen, as the disk calls them. */
  directories: string[];
  /** Paths to be looked at again, for they changed while they were read. */
  unsettled: string[];
  /** How long looking at the disk took. Milliseconds. */
  scanMs: number;
}

/** Brings what changed on the disk into the next generation. One call at a time. */
export class Keeper {
  readonly #bridge: Bridge;
  readonly #settings: Settings;
  readonly #fence: number;
  readonly #uploads: Uploads;
  readonly #copies: Copies;
  readonly #index = new Map<string, Known>();
  readonly #skipped = new Map<string, string>();
  #generation: string | null = null;

  constructor(settings: Settings, bridge: Bridge, fence: number) {
    this.#settings = settings;
    this.#bridge = bridge;
    this.#fence = fence;
    this.#uploads = new Uploads(bridge, fence);
    this.#copies = new Copies(settings, this.#uploads);
    mkdirSync(settings.roots.conversations, { recursive: true });
  }

  get skipped(): { path: string; reason: string }[] {
    return [...this.#skipped, ...this.#copies.untold]
      .slice(0, MOST_REPORTED)
      .map(([path, reason]) => ({ path: path.slice(0, 500), reason }));
  }

  /** Learns what the present generation holds. */
  async meet(): Promise<void> {
    const { head } = await this.#bridge.head(this.#fence);
    const entries = head ? await this.#bridge.entries(head) : [];
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

  /** Commits what changed at these paths, or anywhere. `onDirectory` hears of each directory before it is read. */
  async keep(
    paths: ReadonlySet<string> | "all",
    { reason, oldestChangeAt }: { reason: Reason; oldestChangeAt: number },
    onDirectory?: (disk: string) => void,
  ): Promise<Kept> {
    const started = performance.now();
    const seen = scan(this.#settings.roots, paths === "all" ? undefined : paths, onDirectory);
    const scanMs = performance.now() - started;
    const changes = new Map<string, NextEntry>();
    const unsettled: string[] = [];
    const takeAll = async (all: Iterable<Found>) => {
      for (const found of all) if (!(await this.#take(found, changes))) unsettled.push(found.path);
    };
    await takeAll(seen.found.values());
    if ([...changes.keys()].some((path) => path.startsWith("state/agents/"))) {
      // The copy of an agent's database has just been written out as text.
      const told = scan(this.#settings.roots, ["conversations"]).found;
      for (const [path, found] of told) seen.found.set(path, found);
      await takeAll(told.values());
    }
    for (const path of this.#gone(paths, seen)) changes.set(path, { stamp: undefined, entry: null });
    this.#note(paths, seen);
    await this.#uploads.settle();
    await this.#commit(changes, reason, oldestChangeAt);
    if (paths === "all") this.#uploads.learnAnew([...this.#index.values()].map(({ entry }) => entry));
    return { directories: seen.directories, unsettled, scanMs };
  }

  /** Adds what the file has become to the changes. False when it changed while it was read. */
  async #take(found: Found, changes: Map<string, NextEntry>): Promise<boolean> {
    const known = this.#index.get(found.path);
    if (known?.stamp === found.stamp) return true;
    const taken = await this.#copies.take(found);
    if (taken === undefined) return true;
    if ("reason" in taken) {
      this.#skipped.set(found.path, taken.reason);
      return true;
    }
    this.#skipped.delete(found.path);
    const { entry, settled } = taken;
    const stamp = settled ? found.stamp : undefined;
    if (known && sameContent(known.entry, entry) && known.entry.mode === entry.mode) known.stamp = stamp;
    else changes.set(found.path, { stamp, entry });
    return settled;
  }

  /** What the present generation has and the disk has not. What could not be looked at stays. */
  #gone(paths: ReadonlySet<string> | "all", { found, hidden }: Seen): string[] {
    const full = new Set<string>();
    for (const path of found.keys()) for (const above of foldersOf(path)) full.add(above);
    const gone: string[] = [];
    for (const [path, { entry }] of this.#index) {
      if (found.has(path)) continue;
      const above = [path, ...foldersOf(path)];
      const looked = paths === "all" || above.some((at) => paths.has(at));
      // A folder that is no longer empty is told by what is in it, and has no entry of its own.
      const filled = entry.kind === "directory" && full.has(path);
      if ((looked && !above.some((at) => hidden.has(at))) || filled) gone.push(path);
    }
    return gone;
  }

  /** What cannot be kept is named for as long as it is there. */
  #note(paths: ReadonlySet<string> | "all", { found, hidden }: Seen): void {
    for (const path of this.#skipped.keys()) {
      const looked = paths === "all" || [path, ...foldersOf(path)].some((at) => paths.has(at));
      if (looked && !found.has(path) && !hidden.has(path)) this.#skipped.delete(path);
    }
    for (const [path, reason] of hidden) this.#skipped.set(path, reason);
  }

  async #commit(changes: Map<string, NextEntry>, reason: Reason, oldestChangeAt: number): Promise<void> {
    if (changes.size === 0) return;
    const parts = inParts([...changes].map(([path, { entry }]): Change => ({ path, entry })));
    const last = parts.pop() ?? [];
    const staged = changes.size - last.length;
    const request = { fence: this.#fence, base: this.#generation, reason, oldestChangeAt, staged };
    try {
      for (const part of parts) await this.#bridge.stage(this.#fence, part);
      this.#generation = (await this.#bridge.commit({ ...request, changes: last })).generation;
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
    const found = scan(this.#settings.roots, [entry.path]).found.get(entry.path);
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

function inParts(changes: readonly Change[]): Change[][] {
  const parts: Change[][] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = JSON.stringify(change).length;
    const part = parts.at(-1);
    if (part && part.length < CHANGES_AT_ONCE && bytes + size <= CHANGE_BYTES_AT_ONCE) {
      part.push(change);
      bytes += size;
    } else {
      parts.push([change]);
      bytes = size;
    }
  }
  return parts;
}
