import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bridge } from "../../container/keeper/bridge.ts";
import { readMark } from "../../container/keeper/disk-mark.ts";
import { keepUntil } from "../../container/keeper/loop.ts";
import { restore } from "../../container/keeper/restore.ts";
import { everyFault, READ_FAULTS, start, write, WRITE_FAULTS } from "./every-fault.ts";
import { LATE_MS } from "./fixture/faults.ts";
import { soundGeneration, soundHead } from "./soundness.ts";
import { memoryStack, type MemoryStack } from "./stack.ts";

const EVERY_FAULT = [...new Set([...WRITE_FAULTS, ...READ_FAULTS])];

let stack: MemoryStack;
beforeEach(async () => {
  stack = await memoryStack();
});
afterEach(() => stack.close());

describe("when the storage fails", { timeout: 600_000 }, () => {
  it("a commit loses nothing, whichever call it is", async () => {
    const disk = stack.disk();
    write(disk, "kept.md", "kept");
    let bot = await start(disk);
    await bot.keep();
    const { failed } = await everyFault(stack, {
      async work(round) {
        write(disk, "note.md", round);
        await bot.keep();
      },
      async check(round, worked) {
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
    expect([...failed]).toEqual(expect.arrayContaining(["put blobs", "put manifests", "put head.json"]));
  });

  it("the last commit of a container that is being stopped is made all the same", async () => {
    const { failed } = await everyFault(stack, {
      async work(round) {
        const disk = stack.disk();
        const bridge = new Bridge(disk.settings);
        await restore(disk.settings, bridge);
        write(disk, "note.md", `written before the end: ${round}`);
        await keepUntil(AbortSignal.abort(), disk.settings, bridge, readMark(disk.home)?.fence ?? -1);
      },
      async check(round, worked) {
        await soundHead(stack);
        expect([round, worked]).toEqual([round, true]);
        const other = stack.disk();
        await start(other);
        expect(other.read("workspace/note.md")).toBe(`written before the end: ${round}`);
      },
      kinds: ["refused", "unanswered", "late", "slow", "broken"],
    });
    expect([...failed]).toEqual(expect.arrayContaining(["put blobs", "put manifests", "put head.json"]));
  });

  it("a start puts the whole memory back or says that it cannot, and never starts blank", async () => {
    const disk = stack.disk();
    write(disk, "one.md", "one");
    writeFileSync(join(disk.workspace, "two.bin"), Buffer.alloc(300_000, "two"));
    await (await start(disk)).keep();
    const before = await soundHead(stack);
    let blank = stack.disk();
    const { failed } = await everyFault(stack, {
      async work() {
        blank = stack.disk();
        await start(blank);
        expect(blank.read("workspace/one.md")).toBe("one");
        expect(blank.read("workspace/two.bin").length).toBe(300_000);
      },
      async check(round, worked) {
        // One failing call is tried again; a start that fails all the same fails by a throw, before the gateway's.
        if (!round.startsWith("down")) expect([round, worked]).toEqual([round, true]);
        // What is ready for the gateway is whole, also where the keeper could not begin its work then.
        if (readMark(blank.home)?.phase === "ready") expect(blank.read("workspace/one.md"), round).toBe("one");
        else expect([round, worked]).toEqual([round, false]);
        expect((await soundHead(stack)).entries).toEqual(before.entries);
      },
      // A start writes nothing that could arrive late.
      kinds: READ_FAULTS,
    });
    expect([...failed].toSorted()).toEqual(["get blobs", "get head.json", "get manifests"]);

    await stack.faults({ calls: [], down: true });
    blank = stack.disk();
    await expect(start(blank)).rejects.toThrow(/head\.json/);
    expect(readMark(blank.home)).toBeUndefined();
    await stack.faults({ down: false });
    expect((await soundHead(stack)).entries).toEqual(before.entries);
  });

  it("that never answers is given up, and asked again", async () => {
    const disk = stack.disk();
    write(disk, "one.md", "one");
    await (await start(disk)).keep();
    await stack.faults({ calls: [], at: { call: 0, fault: "silent" } });
    const blank = stack.disk();
    await start(blank);
    expect(blank.read("workspace/one.md")).toBe("one");
  });

  it("pruning never takes an object of the present generation, and leaves none behind in the end", async () => {
    const disk = stack.disk();
    write(disk, "kept.md", "kept");
    const bot = await start(disk);
    await bot.keep();
    await stack.tell("keepFor");
    const { failed } = await everyFault(stack, {
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
      async check() {
        write(disk, "back-and-forth.md", "the same every time");
        // What the keeper remembers of may be gone: it is told so, and brings it again.
        await bot.keep().catch(() => bot.keep());
        await soundHead(stack);
      },
    });
    expect([...failed]).toEqual(expect.arrayContaining(["delete manifests", "delete blobs"]));
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

  it("an older generation is put back whole or not at all", async () => {
    const disk = stack.disk();
    write(disk, "note.md", "old");
    const bot = await start(disk);
    await bot.keep();
    const old = (await stack.call("generations"))[0].id;
    write(disk, "note.md", "new");
    await bot.keep();
    const { failed } = await everyFault(stack, {
      work: () => stack.call("restore", old),
      async check() {
        await soundHead(stack);
        const blank = stack.disk();
        await start(blank);
        expect(["old", "new"]).toContain(blank.read("workspace/note.md"));
      },
      kinds: EVERY_FAULT,
    });
    expect([...failed]).toEqual(expect.arrayContaining(["get blobs", "put manifests", "put head.json"]));
    await stack.call("restore", old);
    const blank = stack.disk();
    await start(blank);
    expect(blank.read("workspace/note.md")).toBe("old");
  });

  it("a ledger that is made anew from the bucket is whole, or the old one goes on", async () => {
    const disk = stack.disk();
    for (const text of ["one", "two", "three"]) {
      write(disk, "note.md", text);
      await disk.keepOnce();
    }
    const { entries } = await soundHead(stack);
    const ids = await stack.call("generations");
    const { failed } = await everyFault(stack, {
      work: () => stack.call("rebuild"),
      async check() {
        await stack.tell("keepFor", { allFor: 3_600_000, hourlyFor: 3_600_000, dailyFor: 3_600_000 });
        await stack.tell("unpin");
        await stack.call("prune").catch(() => stack.call("prune"));
        expect((await soundHead(stack)).entries).toEqual(entries);
        expect(await stack.call("generations")).toEqual(ids);
        const { files } = await stack.call("list", { reader: "", prefix: "", after: "", limit: 10 });
        expect(files).toMatchObject([{ path: "workspace/note.md" }]);
      },
      kinds: READ_FAULTS,
    });
    expect([...failed].toSorted()).toEqual([
      "get blobs",
      "get head.json",
      "get manifests",
      "list blobs",
      "list manifests",
    ]);
  });
});
