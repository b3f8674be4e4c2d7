import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Bridge } from "../../container/keeper/bridge.ts";
import { readMark } from "../../container/keeper/disk-mark.ts";
import { Keeper } from "../../container/keeper/keeper.ts";
import { restore } from "../../container/keeper/restore.ts";
import { type Fault, LATE_MS } from "./fixture/faults.ts";
import type { Disk, MemoryStack } from "./stack.ts";

/** What can become of a write; and of all that follows. */
export const WRITE_FAULTS: readonly Fault[] = ["refused", "unanswered", "late", "slow", "down"];
/** What can become of a read. */
export const READ_FAULTS: readonly Fault[] = ["refused", "slow", "broken", "down"];

/**
 * Runs `work` once for every storage call it makes and every fault, that call failing so, each time after `prepare`. Whether
 * the work itself succeeded is for `check` to care about, which follows. Resolves with the calls that failed, each named once.
 */
export async function everyFault(
  stack: MemoryStack,
  {
    prepare = async () => undefined,
    work,
    check,
    kinds = WRITE_FAULTS,
  }: {
    prepare?: (round: string) => Promise<unknown>;
    work: (round: string) => Promise<unknown>;
    check: (round: string, worked: boolean) => Promise<void>;
    kinds?: readonly Fault[];
  },
): Promise<{ rounds: number; failed: Set<string> }> {
  let rounds = 0;
  const failed = new Set<string>();
  for (const fault of kinds) {
    for (let call = 0; ; call++) {
      const round = `${fault} ${call}`;
      await prepare(round);
      await stack.faults({ calls: [], at: { call, fault } });
      const worked = await work(round).then(
        () => true,
        () => false,
      );
      const calls = await stack.faults({ at: null });
      // What is late arrives.
      if (fault === "late") await sleep(LATE_MS + 50);
      await check(round, worked);
      rounds += 1;
      const hit = calls[call];
      if (hit === undefined) break;
      // The kind of object, not its name.
      failed.add(hit.replace(/\/.*/, ""));
    }
  }
  return { rounds, failed };
}

/** What a container start does, without its processes: restore, then one commit of all there is. */
export async function start(disk: Disk) {
  const bridge = new Bridge(disk.settings);
  await restore(disk.settings, bridge);
  const keeper = new Keeper(disk.settings, bridge, readMark(disk.home)?.fence ?? -1);
  await keeper.meet();
  return { keep: () => keeper.keep("all", { reason: "change", oldestChangeAt: Date.now() }) };
}

export function write(disk: Disk, path: string, text: string): void {
  writeFileSync(join(disk.workspace, path), text);
}
