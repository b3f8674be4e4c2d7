import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blobKey } from "../../src/memory/format.ts";
import { eventually } from "../local/container-under-test.ts";
import { soundHead } from "./soundness.ts";
import { memoryStack, type MemoryStack } from "./stack.ts";

let stack: MemoryStack;
beforeEach(async () => {
  stack = await memoryStack();
});
afterEach(() => stack.close());

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("the memory", () => {
  it("takes commits of the last started container only", async () => {
    const first = stack.disk();
    await first.restore();
    const older = first.keep();
    await older.started;
    const second = stack.disk();
    await second.restore();
    const newer = second.keep();
    await newer.started;
    writeFileSync(join(first.workspace, "from-the-older.md"), "too late");
    writeFileSync(join(second.workspace, "from-the-newer.md"), "in time");
    const { code, output } = await older.ended;
    expect(code).toBe(3);
    expect(output).toContain("Another start of the bot has taken over");
    await eventually(async () => (await stack.paths()).includes("workspace/from-the-newer.md"), 60_000);
    expect(await stack.paths()).not.toContain("workspace/from-the-older.md");
    newer.stop();
    expect((await newer.ended).code).toBe(0);
  });

  it("does not start on a damaged object: names it, and the newest generation without it", async () => {
    const disk = stack.disk();
    writeFileSync(join(disk.workspace, "note.md"), "old and sound");
    await disk.keepOnce();
    const sound = (await stack.call("status")).head.id;
    writeFileSync(join(disk.workspace, "note.md"), "new, and soon damaged");
    await disk.keepOnce();
    const { entries } = await soundHead(stack);
    const note = entries.find(({ path }) => path === "workspace/note.md");
    const name = note?.kind === "file" ? (note.pieces[0]?.blob ?? "") : "";
    await stack.bucket("PUT", blobKey(name), bytesOf("\u0000not what it was"));
    const blank = stack.disk();
    await expect(blank.restore()).rejects.toThrow(new RegExp(`${blobKey(name)} is missing or damaged[^]*${sound}`));
    // Said again and again, until a person has chosen.
    await expect(blank.restore()).rejects.toThrow(blobKey(name));
    await stack.call("restore", sound);
    await blank.restore();
    expect(blank.read("workspace/note.md")).toBe("old and sound");

    // The same content again gets an object of its own.
    writeFileSync(join(blank.workspace, "note.md"), "new, and soon damaged");
    await blank.keepOnce();
    const other = stack.disk();
    await other.restore();
    expect(other.read("workspace/note.md")).toBe("new, and soon damaged");
  });

  it("goes on with a restore where it was cut off", async () => {
    const disk = stack.disk();
    writeFileSync(join(disk.workspace, "first.bin"), Buffer.alloc(200_000, "first"));
    writeFileSync(join(disk.workspace, "second.bin"), Buffer.alloc(200_000, "second"));
    await disk.keepOnce();
    const blank = stack.disk();
    await stack.faults({ calls: [], at: null });
    await blank.restore();
    const whole = (await stack.faults({})).filter((call) => call.startsWith("get blobs")).length;
    await stack.faults({ calls: [] });
    // As if it had been killed after the first file.
    writeFileSync(join(blank.home, "disk.json"), JSON.stringify({ fence: 1, generation: null, phase: "restoring" }));
    truncateSync(join(blank.workspace, "second.bin"), 100_000);
    await blank.restore();
    const rest = (await stack.faults({})).filter((call) => call.startsWith("get blobs")).length;
    expect(rest).toBeGreaterThan(0);
    expect(rest).toBeLessThan(whole);
    expect(blank.read("workspace/second.bin").length).toBe(200_000);
  });

  it("starts blank only when there is nothing: a head that is missing is not nothing", async () => {
    const disk = stack.disk();
    writeFileSync(join(disk.workspace, "note.md"), "kept");
    await disk.keepOnce();
    const { id } = (await stack.call("status")).head;
    await stack.bucket("DELETE", "head.json");
    const blank = stack.disk();
    await expect(blank.restore()).rejects.toThrow("head.json is missing");
    await stack.tell("loseEverything");
    await expect(blank.restore()).rejects.toThrow("head.json is missing");
    await stack.call("restore", id);
    await blank.restore();
    expect(blank.read("workspace/note.md")).toBe("kept");
  });

  it("says which file is too large, and keeps the others", async () => {
    const disk = stack.disk();
    writeFileSync(join(disk.workspace, "video.mp4"), "");
    // Sparse: it takes no room.
    truncateSync(join(disk.workspace, "video.mp4"), 2 * 1024 ** 3);
    writeFileSync(join(disk.workspace, "note.md"), "kept");
    await disk.restore();
    const keeper = disk.keep();
    await eventually(async () => (await stack.call("status")).skipped.length > 0, 60_000);
    expect((await stack.call("status")).skipped).toEqual([
      { path: "workspace/video.mp4", reason: expect.stringContaining("1073741824") },
    ]);
    expect(await stack.paths()).toContain("workspace/note.md");
    await stack.tell("evict");
    expect((await stack.call("status")).skipped).toHaveLength(1);
    rmSync(join(disk.workspace, "video.mp4"));
    await eventually(async () => (await stack.call("status")).skipped.length === 0, 60_000);
    keeper.stop();
    await keeper.ended;
  });

  it("keeps generations as long as it is told, and says when the next prune is", async () => {
    const HOUR = 3_600_000;
    const disk = stack.disk();
    for (const text of ["one", "two", "three", "four"]) {
      writeFileSync(join(disk.workspace, "note.md"), text);
      await disk.keepOnce();
    }
    const { nextPrune, lagMs, head } = await stack.call("status");
    expect(nextPrune).toBeGreaterThan(Date.now());
    expect(lagMs).toBeGreaterThanOrEqual(0);
    // None of it is known only to an object that is gone when nobody has spoken to it for a while.
    await stack.tell("evict");
    expect(await stack.call("status")).toMatchObject({ nextPrune, lagMs, head });
    const left = async () => (await stack.call("generations")).map(({ id }: { id: string }) => id).toReversed();
    const [one, two, three] = await left();
    // Two within one hour of four days ago, one of the day before that.
    const hour = Math.floor(Date.now() / HOUR - 96) * HOUR;
    await stack.tell("commitAt", one, hour - 24 * HOUR);
    await stack.tell("commitAt", two, hour);
    await stack.tell("commitAt", three, hour + 60_000);
    await stack.tell("keepFor", { allFor: 200 * HOUR, hourlyFor: 200 * HOUR, dailyFor: 200 * HOUR });
    await stack.call("prune");
    expect(await left()).toEqual([one, two, three, head.id]);
    await stack.tell("keepFor", { allFor: HOUR, hourlyFor: 100 * HOUR, dailyFor: 200 * HOUR });
    await stack.call("prune");
    expect(await left()).toEqual([one, three, head.id]);
    await stack.tell("keepFor", { allFor: HOUR, hourlyFor: 2 * HOUR, dailyFor: 100 * HOUR });
    await stack.call("prune");
    expect(await left()).toEqual([three, head.id]);
    await stack.tell("keepFor");
    await stack.call("prune");
    expect(await left()).toEqual([head.id]);
    await soundHead(stack);
  });

  it("deletes nothing while the settings are wrong, and goes on once they are right", async () => {
    const disk = stack.disk();
    for (const text of ["one", "two", "three"]) {
      writeFileSync(join(disk.workspace, "note.md"), text);
      await disk.keepOnce();
    }
    await stack.tell("unpin");
    for (const { id } of await stack.call("generations")) await stack.tell("commitAt", id, 1_000_000);
    const before = await stack.keys();
    const settings = {
      PUBLIC_URL: "https://moltbot.example",
      ALLOWED_EMAILS: "owner@example.com",
      OIDC_ISSUER: "https://issuer.example",
      OIDC_CLIENT_ID: "id",
      OIDC_CLIENT_SECRET: "secret",
      ANTHROPIC_API_KEY: "key",
    };
    const wrong: Record<string, string>[] = [
      { MEMORY_KEEP_ALL: "1 week" },
      { MEMORY_KEEP_ALL: "-1h" },
      { MEMORY_KEEP_ALL: "48h", MEMORY_KEEP_HOURLY: "24h" },
      { MEMORY_KEEP_HOURLY: "90d" },
      { MEMORY_KEEP_DAILY: "never" },
      // Not about the memory at all.
      { PUBLIC_URL: "moltbot" },
    ];
    for (const change of wrong) {
      await stack.tell("keepAs", { ...settings, ...change });
      await stack.faults({ calls: [] });
      await expect(stack.call("prune"), JSON.stringify(change)).rejects.toThrow(
        /^misconfigured: .*(MEMORY_KEEP|PUBLIC_URL)/,
      );
      expect((await stack.faults({})).filter((call) => call.startsWith("delete"))).toEqual([]);
    }
    expect(await stack.keys()).toEqual(before);
    expect(await stack.call("generations")).toHaveLength(3);
    await stack.tell("keepAs", settings);
    expect(await stack.call("prune")).toMatchObject({ generations: 2 });
    expect((await stack.keys()).length).toBeLessThan(before.length);
    await soundHead(stack);
  });

  it("takes no blob that is not what its name says, and no path that leads elsewhere", async () => {
    const { fence } = await stack.call("begin");
    const put = (name: string, body: string, of = fence) =>
      fetch(`${stack.url}/bridge/state/blobs/${name}`, { method: "PUT", headers: { "x-fence": String(of) }, body });
    expect((await put("0".repeat(64), "\u0000lies")).status).toBe(400);
    expect((await put("..%2fhead.json", "\u0000x")).status).toBe(400);
    const commit = (path: string) =>
      fetch(`${stack.url}/bridge/state/commit`, {
        method: "POST",
        body: JSON.stringify({
          fence,
          base: null,
          reason: "change",
          staged: 0,
          oldestChangeAt: 0,
          changes: [{ path, entry: { path, kind: "link", target: "x", mode: 0, modified: 0 } }],
        }),
      });
    for (const path of [
      "workspace/../../etc/passwd",
      "/etc/passwd",
      "workspace//x",
      "elsewhere/x",
      "workspace/\u0000",
      "workspace",
    ]) {
      expect((await commit(path)).status, path).toBe(400);
    }
    expect((await commit("workspace/fine")).status).toBe(200);
    expect((await stack.call("status")).head.files).toBe(1);
  });
});
