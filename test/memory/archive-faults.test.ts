import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archiveOf } from "./archives.ts";
import { everyFault, READ_FAULTS, start, write, WRITE_FAULTS } from "./every-fault.ts";
import { soundHead } from "./soundness.ts";
import { memoryStack, type MemoryStack } from "./stack.ts";

let stack: MemoryStack;
beforeAll(async () => {
  stack = await memoryStack();
});
afterAll(() => stack.close());

async function largeIn(archive: Uint8Array): Promise<Uint8Array | undefined> {
  const files = await unpackTar(gunzipSync(archive));
  return files.find(({ header }) => header.name === "workspace/large.bin")?.data;
}

describe("when the storage fails", { timeout: 600_000 }, () => {
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
    const { failed } = await everyFault(stack, {
      work: (round) => take(`the import of ${round}`),
      async check(round, worked) {
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
      kinds: [...new Set([...WRITE_FAULTS, ...READ_FAULTS])],
    });
    expect([...failed]).toEqual(expect.arrayContaining(["put blobs", "get blobs", "put manifests", "put head.json"]));
    const blank = stack.disk();
    await start(blank);
    expect(blank.read("workspace/large.bin").startsWith("largelarge")).toBe(true);
    expect(blank.read("workspace/note.md")).toBe(last);
  });

  it("an export is whole, or nobody can take it for one", async () => {
    const disk = stack.disk();
    const large = randomBytes(300_000);
    const bot = await start(disk);
    writeFileSync(join(disk.workspace, "large.bin"), large);
    write(disk, "note.md", "in the archive");
    await bot.keep();
    const { head } = await stack.call("status");
    const before = await soundHead(stack);
    let archive: Buffer | undefined;
    const { failed } = await everyFault(stack, {
      async work() {
        archive = undefined;
        const response = await fetch(`${stack.url}/export/${head.id}`);
        if (response.status !== 200) throw new Error(await response.text());
        archive = Buffer.from(await response.arrayBuffer());
      },
      async check(round, worked) {
        const content = worked && archive ? await largeIn(archive).catch(() => undefined) : undefined;
        // What was slow comes all the same; of all else the reader hears.
        expect([round, content !== undefined && large.equals(content)]).toEqual([round, worked]);
        if (round.startsWith("slow")) expect(worked).toBe(true);
        expect((await soundHead(stack)).entries).toEqual(before.entries);
      },
      kinds: READ_FAULTS,
    });
    expect([...failed].toSorted()).toEqual(["get blobs", "get manifests"]);
  });
});
