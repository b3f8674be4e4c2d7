import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../local/container-under-test.ts";
import { memoryStack, type MemoryStack } from "./stack.ts";

let stack: MemoryStack;
beforeAll(async () => {
  stack = await memoryStack();
});
afterAll(() => stack.close());

describe("the keeper", () => {
  it("brings files, links, empty folders and databases to another disk", async () => {
    const first = stack.disk();
    writeFileSync(join(first.workspace, "MEMORY.md"), "The cat is called Tom.\n");
    mkdirSync(join(first.workspace, "empty/folder"), { recursive: true });
    symlinkSync("MEMORY.md", join(first.workspace, "link.md"));
    writeFileSync(join(first.workspace, "large.bin"), Buffer.alloc(1_500_000, "large"));
    mkdirSync(join(first.workspace, "node_modules/x"), { recursive: true });
    writeFileSync(join(first.workspace, "node_modules/x/index.js"), "not memory");
    mkdirSync(join(first.state, "state"), { recursive: true });
    const database = new DatabaseSync(join(first.state, "state/openclaw.sqlite"));
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES ('only in the log')");
    await first.keepOnce();
    database.close();

    const second = stack.disk();
    expect(await second.restore()).toContain("is back");
    expect(second.read("workspace/MEMORY.md")).toBe("The cat is called Tom.\n");
    expect(second.read("workspace/link.md")).toBe("The cat is called Tom.\n");
    expect(existsSync(join(second.workspace, "empty/folder"))).toBe(true);
    expect(existsSync(join(second.workspace, "node_modules"))).toBe(false);
    expect(readFileSync(join(second.workspace, "large.bin")).equals(Buffer.alloc(1_500_000, "large"))).toBe(true);
    const copy = new DatabaseSync(join(second.state, "state/openclaw.sqlite"));
    expect(copy.prepare("SELECT x FROM t").all()).toEqual([{ x: "only in the log" }]);
    copy.close();
  });

  it("commits what changes while it runs, and what is deleted", async () => {
    const disk = stack.disk();
    await disk.restore();
    writeFileSync(join(disk.workspace, "gone.md"), "soon gone");
    const keeper = disk.keep();
    await eventually(async () => (await stack.paths()).includes("workspace/gone.md"), 20_000);
    mkdirSync(join(disk.workspace, "new/deep"), { recursive: true });
    writeFileSync(join(disk.workspace, "new/deep/note.md"), "first");
    await eventually(async () => (await stack.paths()).includes("workspace/new/deep/note.md"), 20_000);
    appendFileSync(join(disk.workspace, "new/deep/note.md"), " second");
    rmSync(join(disk.workspace, "gone.md"));
    keeper.stop();
    expect((await keeper.ended).code).toBe(0);
    const other = stack.disk();
    await other.restore();
    expect(other.read("workspace/new/deep/note.md")).toBe("first second");
    expect(await stack.paths()).not.toContain("workspace/gone.md");
  });
});
