import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bridge } from "../../container/keeper/bridge.ts";
import { readMark } from "../../container/keeper/disk-mark.ts";
import { Keeper } from "../../container/keeper/keeper.ts";
import { restore } from "../../container/keeper/restore.ts";
import { type Fault, LATE_MS } from "./fixture/faults.ts";
import { archiveOf } from "./archives.ts";
import { soundGeneration, soundHead } from "./soundness.ts";
import { type Disk, memoryStack, type MemoryStack } from "./stack.ts";

const FAULTS: Fault[] = ["refused", "unanswered", "late", "slow"];

let stack: MemoryStack;
beforeEach(async () => {
  stack = await memoryStack();
});
afterEach(() => stack.close());

/** What a container start does, without its processes: restore, then one commit of all there is. */
async function start(disk: Disk) {
  const bridge = new Bridge(disk.settings);
  await restore(disk.settings, bridge);
  const keeper = new Keeper(disk.settings, bridge, readMark(disk.home)?.fence ?? -1);
  await keeper.meet();
  return { keep: () => keeper.keep("all", { reason: "change", oldestChangeAt: Date.now() }) };
}

function write(disk: Disk, path: string, text: string): void {
  writeFileSync(join(disk.workspace, path), text);
}

/**
 * Runs `work` once for every storage call it makes and every fault, that call failing so, each time after `prepare`. Whether
 * the work itself succeeded is for `check` to care about, which follows.
 */
async function everyFault({
  prepare = async () => undefined,
  work,
  check,
  kinds = FAULTS,
}: {
  prepare?: (round: string) => Promise<unknown>;
  work: (round: string) => Promise<unknown>;
  check: (round: string, worked: boolean) => Promise<void>;
  kinds?: readonly Fault[];
}): Promise<number> {
  let rounds = 0;
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
      await check(round, worked);
      rounds += 1;
      if (calls.length <= call) break;
    }
  }
  return rounds;
}

/** What is late has arrived. */
async function arrived(round: string): Promise<void> {
  if (round.startsWith("late")) await sleep(LATE_MS + 50);
}

describe("when the storage fails", () => {
  it("a commit loses nothing, whichever call it is", async () => {
    const disk = stack.disk();
    write(disk, "kept.md", "kept");
    let bot = await start(disk);
    await bot.keep();
    const rounds = await everyFault({
      async work(round) {
        write(disk, "note.md", round);
        await bot.keep();
      },
      async check(round, worked) {
        await arrived(round);
        const { entries } = await soundHead(stack);
        expect(entries.map(({ path }) => path)).toContain("workspace/kept.md");
        if (!worked) await bot.keep().catch(() => bot.keep());
        const other = stack.disk();
        const next = await start(other);
        expect(other.read("workspace/note.md"), round).toBe(round);
        expect(other.read("workspace/kept.md")).toBe("kept");
        // That other start has taken over; the bot goes on there.
        bot = next;
        Object.assign(disk, other);
      },
    });
    expect(rounds).toBeGreaterThan(12);
  });

  it("a start puts the whole memory back or says that it cannot, and never starts blank", async () => {
    const disk = stack.disk();
    write(disk, "one.md", "one");
    writeFileSync(join(disk.workspace, "two.bin"), Buffer.alloc(300_000, "two"));
    await (await start(disk)).keep();
    const before = await soundHead(stack);
    const rounds = await everyFault({
      async work() {
        const blank = stack.disk();
        await start(blank);
        expect(blank.read("workspace/one.md")).toBe("one");
        expect(blank.read("workspace/two.bin").length).toBe(300_000);
      },
      async check(_round, worked) {
        // One failing call is tried again; a start that fails all the same fails by a throw, before the gateway's.
        expect(worked).toBe(true);
        expect((await soundHead(stack)).entries).toEqual(before.entries);
      },
      // A start writes nothing that could arrive late.
      kinds: ["refused", "slow"],
    });
    expect(rounds).toBeGreaterThan(6);

    await stack.faults({ calls: [], down: true });
    const blank = stack.disk();
    await expect(start(blank)).rejects.toThrow(/head\.json/);
    expect(readMark(blank.home)).toBeUndefined();
    await stack.faults({ down: false });
    expect((await soundHead(stack)).entries).toEqual(before.entries);
  });

  it("pruning never takes an object of the present generation, and leaves none behind in the end", async () => {
    const disk = stack.disk();
    write(disk, "kept.md", "kept");
    const bot = await start(disk);
    await bot.keep();
    await stack.tell("keepFor");
    const rounds = await everyFault({
      async prepare(round) {
        // The same content comes and goes, so that what is being deleted is wanted again.
        write(disk, "back-and-forth.md", "the same every time");
        await bot.keep();
        rmSync(join(disk.workspace, "back-and-forth.md"));
        write(disk, "note.md", round);
        await bot.keep();
        await stack.tell("unpin");
      },
      work: () => stack.call("prune"),
      async check(round) {
        write(disk, "back-and-forth.md", "the same every time");
        // What the keeper remembers of may be gone: it is told so, and brings it again.
        await bot.keep().catch(() => bot.keep());
        await arrived(round);
        await soundHead(stack);
      },
    });
    expect(rounds).toBeGreaterThan(12);
    await sleep(LATE_MS);
    await soundHead(stack);
    await stack.tell("unpin");
    await stack.call("prune");
    const { keys } = await soundHead(stack);
    const unsure = (await stack.keys()).map(({ key }) => key).filter((key) => !keys.has(key));
    // A head put that got no answer keeps its generation for a day; nothing else may be left.
    for (const key of unsure.filter((name) => name.startsWith("manifests/"))) {
      await soundGeneration(stack, key.slice("manifests/".length, -".json".length));
    }
  });

  it("an import is taken in whole or not at all, and can be tried again", async () => {
    const disk = stack.disk();
    write(disk, "note.md", "what was there");
    await (await start(disk)).keep();
    const large = Buffer.alloc(300_000, "large");
    const take = async (note: string) => {
      const body = await archiveOf({
        "workspace/note.md": note,
        "workspace/large.bin": Buffer.concat([large, Buffer.from(note)]),
      });
      const response = await fetch(`${stack.url}/import`, { method: "POST", body });
      if (response.status !== 200) throw new Error(await response.text());
    };
    let last = "what was there";
    const rounds = await everyFault({
      work: (round) => take(`the import of ${round}`),
      async check(round, worked) {
        await arrived(round);
        await soundHead(stack);
        const blank = stack.disk();
        await start(blank);
        const note = blank.read("workspace/note.md");
        // One whose last answer got lost may have been taken in all the same.
        expect(worked ? [`the import of ${round}`] : [last, `the import of ${round}`], round).toContain(note);
        if (!worked) await take(`the import of ${round}`).catch(() => take(`the import of ${round}`));
        last = `the import of ${round}`;
        await soundHead(stack);
      },
    });
    expect(rounds).toBeGreaterThan(12);
    const blank = stack.disk();
    await start(blank);
    expect(blank.read("workspace/large.bin").startsWith("largelarge")).toBe(true);
    expect(blank.read("workspace/note.md")).toBe(last);
  });

  it("an older generation is put back whole or not at all", async () => {
    const disk = stack.disk();
    write(disk, "note.md", "old");
    const bot = await start(disk);
    await bot.keep();
    const old = (await stack.call("generations"))[0].id;
    write(disk, "note.md", "new");
    await bot.keep();
    const rounds = await everyFault({
      work: () => stack.call("restore", old),
      async check(round) {
        await arrived(round);
        await soundHead(stack);
        const blank = stack.disk();
        await start(blank);
        expect(["old", "new"]).toContain(blank.read("workspace/note.md"));
      },
    });
    expect(rounds).toBeGreaterThan(8);
    await stack.call("restore", old);
    const blank = stack.disk();
    await start(blank);
    expect(blank.read("workspace/note.md")).toBe("old");
  });
});
