import { watch, type FSWatcher } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { basename, join } from "node:path";

/** A tree with more directories is refused, before the kernel's limit on watches takes them from everyone. */
const DIRECTORY_LIMIT = 4_000;

export interface Change {
  eventType: "create" | "modify" | "delete";
  path: string;
  isDirectory: boolean;
}

/**
 * Watches a file, or a directory with those below it. `fs.watch` has a recursive mode, but that one opens a watch for
 * every file of an excluded node_modules. A move is told as a delete and a create.
 */
export class DirectoryWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  /** What is known to exist, by path: whether it is a directory. */
  readonly #known = new Map<string, boolean>();
  readonly #recursive: boolean;
  readonly #wanted: (path: string) => boolean;
  readonly #entered: (path: string) => boolean;
  readonly #onChange: (change: Change) => void;
  #closed = false;

  /** `wanted` says which changes are told, `entered` which directories are looked into. */
  constructor(options: {
    recursive: boolean;
    wanted: (path: string) => boolean;
    entered: (path: string) => boolean;
    onChange: (change: Change) => void;
  }) {
    this.#recursive = options.recursive;
    this.#wanted = options.wanted;
    this.#entered = options.entered;
    this.#onChange = options.onChange;
  }

  /** Resolves when the whole tree is watched. Rejects with the errno when `path` cannot be. */
  async open(path: string): Promise<void> {
    if ((await lstat(path)).isDirectory()) return this.#enter(path, false);
    this.#known.set(path, false);
    this.#watch(path, () => void this.#look(path));
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #enter(directory: string, tell: boolean): Promise<void> {
    if (this.#closed || this.#watchers.has(directory)) return;
    if (this.#watchers.size >= DIRECTORY_LIMIT) throw new Error(`More than ${DIRECTORY_LIMIT} directories to watch`);
    this.#watch(directory, (name) => void this.#look(join(directory, name)));
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(directory, entry.name);
      const isDirectory = entry.isDirectory();
      // Made between the directory's own event and its watch: nobody else will tell.
      if (tell && !this.#known.has(path)) this.#tell({ eventType: "create", path, isDirectory });
      this.#known.set(path, isDirectory);
      if (isDirectory && this.#recursive && this.#entered(path)) await this.#enter(path, tell);
    }
  }

  #watch(path: string, onEvent: (name: string) => void): void {
    const watcher = watch(path, (_type, name) => onEvent(name ?? basename(path)));
    watcher.on("error", () => this.#leave(path));
    this.#watchers.set(path, watcher);
  }

  #leave(path: string): void {
    this.#watchers.get(path)?.close();
    this.#watchers.delete(path);
  }

  /** Finds out what happened to a path: the event itself only says that something did. */
  async #look(path: string): Promise<void> {
    const info = await lstat(path).catch(() => undefined);
    if (this.#closed) return;
    const known = this.#known.get(path);
    if (info === undefined) {
      if (known === undefined) return;
      this.#known.delete(path);
      this.#leave(path);
      return this.#tell({ eventType: "delete", path, isDirectory: known });
    }
    const isDirectory = info.isDirectory();
    this.#known.set(path, isDirectory);
    if (known === undefined) this.#tell({ eventType: "create", path, isDirectory });
    else if (!isDirectory) this.#tell({ eventType: "modify", path, isDirectory });
    // A tree that has grown too large, or is gone again, is watched as far as it is.
    if (isDirectory && this.#recursive && this.#entered(path)) await this.#enter(path, true).catch(() => undefined);
  }

  #tell(change: Change): void {
    if (this.#wanted(change.path)) this.#onChange(change);
  }
}
