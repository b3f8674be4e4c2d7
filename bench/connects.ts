import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

const CONNECTS = 1_000;
/** Until caches, code and the runtime's heaps are there: for the first thousands, a server of the bare SDK grows as much. */
const WARM_UP = 3_000;
const AT_ONCE = 8;
/** MB. */
const MOST_GROWTH = 10;

/** How much more memory the Worker has after a thousand clients have come and gone. One line of text. */
export async function memoryOfConnects(
  whose: string,
  connect: () => Promise<{ close(): Promise<void> }>,
): Promise<string> {
  const one = async () => {
    const client = await connect();
    await client.close();
  };
  const many = async (count: number) => {
    for (let done = 0; done < count; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, one));
  };
  await many(WARM_UP);
  const before = await settledMemory();
  await many(CONNECTS);
  const after = await settledMemory();
  const grown = after - before;
  const verdict = grown <= MOST_GROWTH ? "ok" : "OVER";
  return `memory of workerd, MB, ${whose}, before and after ${CONNECTS} connects: ${before.toFixed(0)} → ${after.toFixed(0)} (${grown.toFixed(1)}, at most ${MOST_GROWTH})  ${verdict}`;
}

/** The least of a few seconds: garbage is collected when there is time for it. */
async function settledMemory(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < 10; sample++) {
    await wait(1_000);
    least = Math.min(least, residentMegabytes());
  }
  return least;
}

/** Resident memory of every workerd that descends from this process. */
function residentMegabytes(): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^PPid:\s+(\d+)$/m.exec(statusOf(Number(name)))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isOurs = (pid: number): boolean => pid === process.pid || (parents.has(pid) && isOurs(parents.get(pid) ?? 0));
  let kilobytes = 0;
  for (const pid of parents.keys()) {
    const status = statusOf(pid);
    if (!/^Name:\s+workerd/m.test(status) || !isOurs(pid)) continue;
    kilobytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
