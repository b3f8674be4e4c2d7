import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bridge } from "../../container/keeper/bridge.ts";
import { readMark } from "../../container/keeper/disk-mark.ts";
import { Keeper } from "../../container/keeper/keeper.ts";
import { restore } from "../../container/keeper/restore.ts";
import { manifestKey, MOST_BLOB_BYTES, MOST_FILES } from "../../src/memory/format.ts";
import { soundHead } from "../memory/soundness.ts";
import { type Disk, memoryStack, type MemoryStack } from "../memory/stack.ts";

const FOLDERS = 500;
const EACH = 200;
const MANY = FOLDERS * EACH;

let stack: MemoryStack;
beforeAll(async () => {
  stack = await memoryStack();
}, 180_000);
afterAll(() => stack.close(), 180_000);

async function started(disk: Disk) {
  const bridge = new Bridge(disk.settings);
  await restore(disk.settings, bridge);
  const keeper = new Keeper(disk.settings, bridge, readMark(disk.home)?.fence ?? -1);
  await keeper.meet();
  const keep = (paths: Set<string> | "all") => keeper.keep(paths, { reason: "change", oldestChangeAt: Date.now() });
  // As its loop does: on a machine that is busy with other things an answer may come too late.
  return (paths: Set<string> | "all") => keep(paths).catch(() => keep(paths));
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const value = await work();
  console.info(`${what}: ${Math.round(performance.now() - from)} ms`);
  return value;
}

describe(`a workspace of ${MANY} files`, { timeout: 1_800_000 }, () => {
  const reader = "a".repeat(24);
  let disk: Disk;

  it("is kept, and each change of it takes a fraction of that", async () => {
    disk = stack.disk();
    for (let folder = 0; folder < FOLDERS; folder++) {
      mkdirSync(join(disk.workspace, "many", String(folder)), { recursive: true });
      for (let n = 0; n < EACH; n++) {
        writeFileSync(
          join(disk.workspace, "many", String(folder), `${n}.md`),
          `# ${folder}/${n}\n\nA note like any.\n`,
        );
      }
    }
    const keep = await started(disk);
    await timed("the first commit", () => keep("all"));
    const { head } = await stack.call("status");
    expect(head.files).toBe(MANY);
    // What one object of R2, one row and one message hold is bounded, however many files there are.
    const keys = await stack.keys();
    const manifest = keys.find(({ key }) => key === manifestKey(head.id));
    console.info(
      `${keys.length} objects, the largest ${Math.max(...keys.map(({ size }) => size))} bytes, the manifest ${manifest?.size}`,
    );
    expect(manifest?.size).toBeLessThan(32_000);
    expect(Math.max(...keys.map(({ size }) => size))).toBeLessThan(MOST_BLOB_BYTES);
    for (let n = 0; n < 3; n++) {
      writeFileSync(join(disk.workspace, "many/7/77.md"), `# changed\n\nThe ${n}th zebra.\n`);
      await timed("one changed note", () => keep(new Set(["workspace/many/7/77.md"])));
    }
    await timed("a look at all of it", () => keep("all"));
    rmSync(join(disk.workspace, "many/8"), { recursive: true });
    await timed("200 deleted", () => keep(new Set(["workspace/many/8"])));
    expect((await stack.call("status")).head.files).toBe(MANY - EACH);
  });

  it("is listed in pages, now and as it was, and searched", async () => {
    const generations = await stack.call("generations");
    for (const generation of [undefined, generations.at(-1).id]) {
      const asked = { reader, prefix: "workspace/many/9", limit: 200, ...(generation ? { generation } : {}) };
      let pages = 0;
      let files = 0;
      await timed(`listing ${generation ?? "the present"}`, async () => {
        for (let after: string | undefined = ""; after !== undefined;) {
          const page = await stack.call("list", { ...asked, after });
          pages += 1;
          files += page.files.length;
          after = page.more ? page.files.at(-1).path : undefined;
        }
      });
      // 9, 90 to 99.
      expect([pages, files]).toEqual([11, 11 * EACH]);
    }
    await timed("indexing the rest of it", async () => {
      const request = { reader, query: "zebra", limit: 5, kinds: ["note"], since: "" };
      await expect
        .poll(async () => (await stack.call("search", request)).behind, { timeout: 900_000, interval: 1_000 })
        .toBe(false);
      const { hits } = await timed("a search", () => stack.call("search", request));
      expect(hits).toMatchObject([{ path: "workspace/many/7/77.md" }]);
    });
  });

  it("is put back whole on an empty disk, and pruned", async () => {
    const blank = stack.disk();
    await timed("restore", () => restore(blank.settings, new Bridge(blank.settings)));
    expect(readdirSync(join(blank.workspace, "many"), { recursive: true }).length).toBe((FOLDERS - 1) * (EACH + 1));
    await stack.tell("keepFor");
    await stack.tell("unpin");
    await timed("prune", () => stack.call("prune"));
    await soundHead(stack);
    const { head } = await stack.call("status");
    await timed("restoring a generation", () => stack.call("restore", head.id));
    await timed("rebuild", () => stack.call("rebuild"));
    expect((await soundHead(stack)).entries).toHaveLength(MANY - EACH);
  });

  it(`is refused from ${MOST_FILES} files on, with what to do, and the memory stays`, async () => {
    const bridge = new Bridge(disk.settings);
    const { fence, head } = await bridge.begin();
    const all = Array.from({ length: MOST_FILES }, (_file, n) => {
      const path = `workspace/more/${n}`;
      return { path, entry: { path, kind: "directory", mode: 0o755, modified: 0 } as const };
    });
    await timed("the refusal", async () => {
      for (let at = 0; at < all.length; at += 5_000) await bridge.stage(fence, all.slice(at, at + 5_000));
      const commit = bridge.commit({
        fence,
        base: head?.generation ?? null,
        reason: "change",
        staged: all.length,
        changes: [],
        oldestChangeAt: 0,
      });
      await expect(commit).rejects.toThrow(`The memory holds at most ${MOST_FILES} files`);
    });
    expect((await stack.call("status")).head.files).toBe(MANY - EACH);
  });
});
