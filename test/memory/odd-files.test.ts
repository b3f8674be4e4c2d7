import { chdir, cwd } from "node:process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bridge } from "../../container/keeper/bridge.ts";
import { readMark } from "../../container/keeper/disk-mark.ts";
import { Keeper } from "../../container/keeper/keeper.ts";
import { restore } from "../../container/keeper/restore.ts";
import { scan } from "../../container/keeper/scan.ts";
import { start, write } from "./every-fault.ts";
import { memoryStack, type MemoryStack } from "./stack.ts";

let stack: MemoryStack;
beforeEach(async () => {
  stack = await memoryStack();
});
afterEach(() => stack.close());

describe("the keeper", () => {
  it("keeps a database that it cannot read the conversations of, and says so", async () => {
    const disk = stack.disk();
    const folder = join(disk.state, "agents/main/agent");
    mkdirSync(folder, { recursive: true });
    const database = new DatabaseSync(join(folder, "openclaw-agent.sqlite"));
    database.exec("CREATE TABLE as_a_later_gateway_has_it (x); INSERT INTO as_a_later_gateway_has_it VALUES ('kept')");
    database.close();
    await disk.keepOnce();
    expect((await stack.call("status")).skipped).toEqual([
      {
        path: "state/agents/main/agent/openclaw-agent.sqlite",
        reason: expect.stringMatching(/^It is kept; its conversations cannot/),
      },
    ]);
    const other = stack.disk();
    await other.restore();
    const copy = new DatabaseSync(join(other.state, "agents/main/agent/openclaw-agent.sqlite"));
    expect(copy.prepare("SELECT x FROM as_a_later_gateway_has_it").all()).toEqual([{ x: "kept" }]);
    copy.close();
  });

  it("keeps all else beside a path that is too long for a generation, or for the disk's own calls", async () => {
    const disk = stack.disk();
    const back = cwd();
    try {
      chdir(disk.workspace);
      for (let depth = 0; depth < 25; depth++) {
        mkdirSync("d".repeat(200));
        chdir("d".repeat(200));
        if (depth % 10 === 2) writeFileSync("note.md", `at depth ${depth}`);
      }
    } finally {
      chdir(back);
    }
    write(disk, "note.md", "kept");
    await disk.keepOnce();
    const paths = await stack.paths();
    expect(paths.filter((path) => path.endsWith("note.md")).toSorted()).toEqual([
      `workspace/${`${"d".repeat(200)}/`.repeat(3)}note.md`,
      "workspace/note.md",
    ]);
    const { skipped } = await stack.call("status");
    expect(skipped.map(({ reason }: { reason: string }) => reason)).toEqual(
      expect.arrayContaining([expect.stringMatching(/may have 2048/), expect.stringMatching(/ENAMETOOLONG/)]),
    );
    rmSync(join(disk.workspace, "d".repeat(200)), { recursive: true, force: true });
  });

  it("hears of a directory before it is read, so that nothing written meanwhile goes unseen", () => {
    const disk = stack.disk();
    mkdirSync(join(disk.workspace, "a/b"), { recursive: true });
    const { found } = scan(disk.settings.roots, ["workspace"], (folder) => {
      writeFileSync(join(folder, "late.md"), "written as soon as it was heard of");
    });
    expect([...found.keys()].toSorted()).toEqual(["workspace/a/b/late.md", "workspace/a/late.md", "workspace/late.md"]);
  });

  it("does not stumble over what becomes something else while it is looked at", () => {
    const disk = stack.disk();
    write(disk, "file", "a file");
    symlinkSync("file", join(disk.workspace, "link"));
    const gone = ["workspace/file/below", "workspace/link/below", "workspace/nothing/below", "workspace/nothing"];
    expect(scan(disk.settings.roots, gone)).toMatchObject({ found: new Map(), hidden: new Map() });
  });

  it("looks again at what was changed so lately that the disk's clock could not tell one more change", async () => {
    const disk = stack.disk();
    const bot = await start(disk);
    let again = 0;
    for (let round = 0; round < 20; round++) {
      write(disk, "note.md", String(round % 10));
      again += (await bot.keep()).unsettled.length;
      await sleep(50);
      expect((await bot.keep()).unsettled).toEqual([]);
    }
    // On a busy machine it may come too late for some.
    expect(again).toBeGreaterThan(0);
  });

  it("has no entry for a folder that is not empty any more, and its archive can be taken in", async () => {
    const disk = stack.disk();
    mkdirSync(join(disk.workspace, "folder/below"), { recursive: true });
    const bridge = new Bridge(disk.settings);
    await restore(disk.settings, bridge);
    const keeper = new Keeper(disk.settings, bridge, readMark(disk.home)?.fence ?? -1);
    const keep = (paths: Set<string> | "all") => keeper.keep(paths, { reason: "change", oldestChangeAt: Date.now() });
    await keeper.meet();
    await keep("all");
    expect(await stack.paths()).toEqual(["workspace/folder/below"]);
    write(disk, "folder/below/note.md", "now there is something in it");
    await keep(new Set(["workspace/folder/below/note.md"]));
    expect(await stack.paths()).toEqual(["workspace/folder/below/note.md"]);
    const { head } = await stack.call("status");
    const archive = new Uint8Array(await (await fetch(`${stack.url}/export/${head.id}`)).arrayBuffer());
    expect((await unpackTar(gunzipSync(archive))).map(({ header }) => header.name)).toContain(
      "workspace/folder/below/note.md",
    );
    const taken = await fetch(`${stack.url}/import`, { method: "POST", body: archive });
    expect([taken.status, await taken.text()]).toEqual([200, expect.anything()]);
  });

  it("puts a generation back over a disk on which files are folders and folders are files", async () => {
    const disk = stack.disk();
    write(disk, "one", "a file");
    mkdirSync(join(disk.workspace, "two"));
    write(disk, "two/note.md", "in a folder");
    await (await start(disk)).keep();
    const { head } = await stack.call("status");
    rmSync(join(disk.workspace, "one"));
    mkdirSync(join(disk.workspace, "one/deep/er"), { recursive: true });
    write(disk, "one/deep/er/note.md", "not a file any more");
    rmSync(join(disk.workspace, "two"), { recursive: true });
    write(disk, "two", "not a folder any more");
    mkdirSync(join(disk.workspace, "later/and/deeper"), { recursive: true });
    write(disk, "later/and/deeper/note.md", "of no generation that comes back");
    await (await start(disk)).keep();
    await stack.call("restore", head.id);
    await restore(disk.settings, new Bridge(disk.settings));
    expect(disk.read("workspace/one")).toBe("a file");
    expect(disk.read("workspace/two/note.md")).toBe("in a folder");
    expect(existsSync(join(disk.workspace, "later"))).toBe(false);
    expect(readFileSync(join(disk.workspace, "one"), "utf8")).toBe("a file");
  });
});
