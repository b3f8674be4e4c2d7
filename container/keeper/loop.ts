import type { Bridge } from "./bridge.ts";
import { BridgeError } from "./bridge.ts";
import { Keeper } from "./keeper.ts";
import { isSkipped, keptPath, SIDECAR } from "./roots.ts";
import type { Settings } from "./settings.ts";
import { DirectoryWatch } from "./watch.ts";

/** A commit waits until nothing changed for this long, but no longer than the other after the first change. Milliseconds. */
const QUIET_MS = 200;
const LONGEST_MS = 1_000;
/** Between whole scans, for what no watch told; and so many times as long as a scan takes. */
const SCAN_EVERY_MS = 30_000;
const SCAN_SHARE = 50;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** How often the last commit is tried: whoever stops the container does not wait for ever. */
const LAST_TRIES = 5;

/** Keeps committing what changes, until the signal; then once more. Rejects when the memory is no longer this container's. */
export async function keepUntil(stop: AbortSignal, settings: Settings, bridge: Bridge, fence: number): Promise<void> {
  const keeper = new Keeper(settings, bridge, fence);
  const changed = new Changes(stop);
  const watch = new DirectoryWatch((disk) => {
    const path = keptPath(settings.roots, disk);
    if (path === undefined || isSkipped(path)) return;
    changed.add(path.replace(SIDECAR, ""));
    // What was deleted or replaced has lost its watches.
    watch.forget(disk);
  });
  let pause = FIRST_PAUSE_MS;
  let nextScan = 0;
  let met = false;
  /** What the Worker was told last, so that it is told only what is new. */
  let reported = "";
  const report = async (problem: string | null) => {
    const said = { problem, skipped: keeper.skipped };
    if (JSON.stringify(said) === reported) return;
    reported = await bridge.report(fence, said).then(
      () => JSON.stringify(said),
      () => "",
    );
  };
  const cycle = async (reason: "change" | "stop"): Promise<void> => {
    if (!met) await keeper.meet();
    met = true;
    const whole = reason === "stop" || performance.now() >= nextScan;
    const { paths, since } = changed.take();
    try {
      // A directory is watched before it is read: what is written to it meanwhile is looked at again.
      const onDirectory = (disk: string) => watch.add([disk]);
      const keep = { reason, oldestChangeAt: since };
      const { directories, unsettled, scanMs } = await keeper.keep(whole ? "all" : paths, keep, onDirectory);
      if (whole) {
        watch.set(directories);
        nextScan = performance.now() + Math.max(SCAN_EVERY_MS, scanMs * SCAN_SHARE);
      }
      for (const path of unsettled) changed.add(path);
      await report(null);
    } catch (error) {
      changed.giveBack(paths, since);
      throw error;
    }
  };

  while (!stop.aborted) {
    try {
      await cycle("change");
      pause = FIRST_PAUSE_MS;
      await changed.settled(Math.max(0, nextScan - performance.now()));
    } catch (error) {
      if (isOver(error)) throw error;
      console.error("keeper:", error);
      await report(error instanceof Error ? error.message : String(error));
      await sleep(pause, stop);
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    }
  }
  watch.close();
  // Twice: what ends beside the keeper may write until it has ended. Nobody comes after it to try again.
  for (let [done, tries] = [0, 1]; done < 2;) {
    try {
      await cycle("stop");
      done += 1;
    } catch (error) {
      if (isOver(error) || tries === LAST_TRIES) throw error;
      tries += 1;
      console.error("keeper:", error);
      await sleep(FIRST_PAUSE_MS, stop);
    }
  }
}

/** Another start has the memory now; or the token is no longer good for anything. */
function isOver(error: unknown): boolean {
  return error instanceof BridgeError && (error.code === "forbidden" || error.code === "unauthorized");
}

/** The paths that changed since the last commit. */
class Changes {
  readonly #stop: AbortSignal;
  #paths = new Set<string>();
  #first = 0;
  #last = 0;
  #wake: (() => void) | undefined;

  constructor(stop: AbortSignal) {
    this.#stop = stop;
    stop.addEventListener("abort", () => this.#wake?.());
  }

  add(path: string): void {
    const now = Date.now();
    if (this.#paths.size === 0) this.#first = now;
    this.#last = now;
    this.#paths.add(path);
    this.#wake?.();
  }

  take(): { paths: Set<string>; since: number } {
    const taken = { paths: this.#paths, since: this.#paths.size > 0 ? this.#first : Date.now() };
    this.#paths = new Set();
    return taken;
  }

  giveBack(paths: ReadonlySet<string>, since: number): void {
    if (paths.size === 0) return;
    for (const path of paths) this.add(path);
    this.#first = since;
  }

  /** Resolves when there are changes and they have come to rest, or after the time, or at the stop. */
  async settled(withinMs: number): Promise<void> {
    const end = Date.now() + withinMs;
    while (!this.#stop.aborted) {
      const now = Date.now();
      const due = this.#paths.size === 0 ? end : Math.min(this.#last + QUIET_MS, this.#first + LONGEST_MS);
      if (now >= due) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, due - now);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }
}

async function sleep(ms: number, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
