import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bridge } from "../../container/keeper/bridge.ts";
import { blobKey } from "../../src/memory/format.ts";
import { start, write } from "./every-fault.ts";
import { soundHead } from "./soundness.ts";
import { type Disk, memoryStack, type MemoryStack } from "./stack.ts";

let stack: MemoryStack;
beforeEach(async () => {
  stack = await memoryStack();
});
afterEach(() => stack.close());

/** More than one tree's worth. */
function many(disk: Disk, count: number): void {
  mkdirSync(join(disk.workspace, "many"), { recursive: true });
  for (let n = 0; n < count; n++) write(disk, `many/${n}.md`, `note ${n}`);
}

const list = async (prefix: string, generation?: string) => {
  const asked = { reader: "", prefix, after: "", limit: 1_000, ...(generation ? { generation } : {}) };
  const { files } = await stack.call("list", asked);
  return files.map(({ path }: { path: string }) => path);
};

describe("what the memory object knows of the bucket", () => {
  it("is made anew without taking a sound generation's content for nobody's, though an older one is damaged", async () => {
    const disk = stack.disk();
    many(disk, 600);
    const bot = await start(disk);
    await bot.keep();
    const { manifest: older } = await soundHead(stack);
    for (let n = 0; n < 20; n++) write(disk, `many/${n}.md`, `changed ${n}`);
    await bot.keep();
    const { manifest: newer } = await soundHead(stack);
    // The last tree that only the older one has: by then those that both have are read.
    const own = older.trees.findLastIndex((tree) => !newer.trees.includes(tree));
    expect(own).toBeGreaterThan(0);
    await stack.bucket("PUT", blobKey(older.trees[own] ?? ""), new TextEncoder().encode("\u0000damaged"));
    await stack.call("rebuild");
    expect((await stack.call("generations")).map(({ id }: { id: string }) => id)).toEqual([newer.generation]);
    await stack.tell("keepFor");
    await stack.tell("unpin");
    await stack.call("prune");
    expect((await soundHead(stack)).entries).toHaveLength(600);
    const blank = stack.disk();
    await start(blank);
    expect(blank.read("workspace/many/7.md")).toBe("changed 7");
  });

  it("lets no start before its loss commit after it, nor have the number of one", async () => {
    const disk = stack.disk();
    write(disk, "note.md", "kept");
    await (await start(disk)).keep();
    const bridge = new Bridge(disk.settings);
    const { fence } = await bridge.begin();
    await stack.tell("loseEverything");
    await expect(bridge.head(fence)).rejects.toThrow("Another start");
    expect((await bridge.begin()).fence).toBeGreaterThan(fence);
    await expect(bridge.head(fence)).rejects.toThrow("Another start");
    // With its own tables still there it need not put anybody out.
    const { fence: mine } = await bridge.begin();
    await stack.call("rebuild");
    expect((await bridge.head(mine)).head?.files).toBe(1);
  });

  it("is read on from the tables of an earlier version", async () => {
    const disk = stack.disk();
    many(disk, 600);
    const bot = await start(disk);
    await bot.keep();
    await stack.tell("asEarlier");
    expect(await list("workspace/many/59")).toEqual(
      ["59", ...Array.from({ length: 10 }, (_, n) => `59${n}`)].map((name) => `workspace/many/${name}.md`).toSorted(),
    );
    write(disk, "many/3.md", "changed");
    await bot.keep();
    expect((await soundHead(stack)).entries).toHaveLength(600);
    const blank = stack.disk();
    await start(blank);
    expect(blank.read("workspace/many/3.md")).toBe("changed");
  });

  it("is listed by any beginning of a path, now and as it was", async () => {
    const disk = stack.disk();
    for (const name of ["🐈 Tom.md", "🐈.md", "🐕.md", "_%.md", "a.md", "\u{ffff}.md"]) write(disk, name, "note");
    const bot = await start(disk);
    await bot.keep();
    const { head } = await stack.call("status");
    for (const generation of [undefined, head.id]) {
      expect(await list("workspace/🐈", generation)).toEqual(["workspace/🐈 Tom.md", "workspace/🐈.md"]);
      expect(await list("workspace/_%", generation)).toEqual(["workspace/_%.md"]);
      expect(await list("workspace/nothing", generation)).toEqual([]);
      expect((await list("", generation)).length).toBe(6);
    }
    const asked = { reader: "", prefix: "workspace/", limit: 2, generation: head.id };
    const first = await stack.call("list", { ...asked, after: "" });
    expect(first).toMatchObject({ more: true });
    const rest = await stack.call("list", { ...asked, limit: 100, after: first.files[1].path });
    expect(rest.files).toHaveLength(4);
  });

  it("is told to whoever reads a file whose content is damaged or gone: which object, and what to do", async () => {
    const disk = stack.disk();
    const bot = await start(disk);
    write(disk, "note.md", "old");
    await bot.keep();
    const { head: older } = await stack.call("status");
    write(disk, "note.md", "new");
    await bot.keep();
    const note = (await soundHead(stack)).entries.find(({ path }) => path === "workspace/note.md");
    const key = blobKey(note?.kind === "file" ? (note.pieces[0]?.blob ?? "") : "");
    const asked = { reader: "", path: "note.md", offset: 0, limit: 100 };
    await stack.bucket("PUT", key, new TextEncoder().encode("\u0000damaged"));
    await expect(stack.call("read", asked)).rejects.toThrow(`${key} is damaged. Put an older generation back`);
    await stack.bucket("DELETE", key);
    await expect(stack.call("read", asked)).rejects.toThrow(`${key} is missing. Put an older generation back`);
    const { bytes } = await stack.call("read", { ...asked, generation: older.id });
    expect(Object.values(bytes)).toEqual([...new TextEncoder().encode("old")]);
  });

  it("takes no half of a commit for the whole, and nothing that another keeper left behind", async () => {
    const disk = stack.disk();
    const bot = await start(disk);
    many(disk, 2_100);
    await stack.faults({ calls: [], at: { call: "put manifests", fault: "refused" } });
    // The bridge tries again what failed; what was staged for it is gone by then.
    await bot.keep().catch(() => bot.keep());
    expect((await soundHead(stack)).entries).toHaveLength(2_100);

    const bridge = new Bridge(disk.settings);
    const { fence } = await bridge.begin();
    const ghost = { path: "workspace/ghost", kind: "directory", mode: 0o755, modified: 0 } as const;
    await bridge.stage(fence, [{ path: ghost.path, entry: ghost }]);
    const { head } = await stack.call("status");
    const commit = { fence, base: head.id, reason: "change", oldestChangeAt: 0, changes: [] } as const;
    await expect(bridge.commit({ ...commit, staged: 0 })).rejects.toThrow("1 changes are staged");
    await bridge.commit({ ...commit, staged: 0 });
    expect(await stack.paths()).not.toContain("workspace/ghost");
    await bridge.stage(fence, [{ path: ghost.path, entry: ghost }]);
    // As a keeper does that was killed and is started again.
    await bridge.head(fence);
    const { head: now } = await stack.call("status");
    await bridge.commit({ ...commit, base: now.id, staged: 0 });
    expect(await stack.paths()).not.toContain("workspace/ghost");
  });
});
