import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";

/** Each costs the kernel about a kilobyte, and a user has a limit of them. What is not watched is found by the scans. */
const MOST_DIRECTORIES = 8_000;

/** Tells which paths changed in the directories it was given. Node's own recursive watch would watch every file. */
export class DirectoryWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onChange: (disk: string) => void;

  constructor(onChange: (disk: string) => void) {
    this.#onChange = onChange;
  }

  add(directories: Iterable<string>): void {
    for (const directory of directories) {
      if (this.#watchers.has(directory) || this.#watchers.size >= MOST_DIRECTORIES) continue;
      try {
        const watcher = watch(directory, (_event, name) => {
          this.#onChange(name === null ? directory : join(directory, name));
        });
        watcher.on("error", () => this.#drop(directory));
        this.#watchers.set(directory, watcher);
      } catch {
        // It is gone again, or there are no watches left.
      }
    }
  }

  /** After a whole scan: watches exactly these. A directory that was made anew needs a new watch. */
  set(directories: readonly string[]): void {
    const wanted = new Set(directories);
    for (const directory of this.#watchers.keys()) if (!wanted.has(directory)) this.#drop(directory);
    this.add(directories);
  }

  /** The directory itself was deleted or replaced. */
  forget(directory: string): void {
    if (!this.#watchers.has(directory)) return;
    for (const watched of this.#watchers.keys()) {
      if (watched === directory || watched.startsWith(`${directory}/`)) this.#drop(watched);
    }
  }

  close(): void {
    for (const directory of this.#watchers.keys()) this.#drop(directory);
  }

  #drop(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }
}
