import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KeptFolder } from "../../local/folder/kept-folder.ts";
import { remoteFolder } from "../../local/folder/remote.ts";
import { everyFault, READ_FAULTS, WRITE_FAULTS } from "./every-fault.ts";
import { memoryStack, type MemoryStack } from "./stack.ts";

const video = randomBytes(400_000);
const root = mkdtempSync(join(tmpdir(), "moltbot-folder-"));

let stack: MemoryStack;
beforeAll(async () => {
  stack = await memoryStack();
});
afterAll(async () => {
  await stack.close();
  rmSync(root, { recursive: true, force: true });
});

async function folder(path: string): Promise<{ status: number; body: Buffer }> {
  const response = await fetch(`${stack.url}/files?path=${encodeURIComponent(path)}`);
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

/** As a container that has run on this folder and has ended. */
async function brought(path: string, said: string[] = []): Promise<KeptFolder> {
  const kept = new KeptFolder(
    path,
    remoteFolder(stack.url, () => "unused-here"),
    (line) => said.push(line),
  );
  await kept.open();
  kept.watch();
  await kept.settle();
  return kept;
}

describe("when the storage of large files fails", { timeout: 600_000 }, () => {
  it("a list or a file is whole, or the reader is told to try again", async () => {
    await stack.bucket("PUT", "files/videos/tour.mp4", video);
    for (const path of ["/files/", "/files/videos/tour.mp4"]) {
      let answer = await folder(path);
      const whole = answer.body;
      const { rounds } = await everyFault(stack, {
        async work() {
          answer = await folder(path);
        },
        async check(round) {
          const isWhole = answer.status === 200 && answer.body.equals(whole);
          expect([round, answer.status, isWhole]).toEqual([round, answer.status, answer.status === 200]);
          if (answer.status !== 200) expect(String(answer.body)).toMatch(/did not answer|lets this fail/);
          if (round.startsWith("slow")) expect(answer.status).toBe(200);
        },
        kinds: READ_FAULTS,
      });
      expect(rounds).toBeGreaterThan(4);
    }
    expect((await folder("/files/videos/tour.mp4")).body.equals(video)).toBe(true);
  });

  it("nothing of the folder is lost: neither what is brought to the bucket nor what is there", async () => {
    const path = join(root, "one");
    mkdirSync(path);
    await brought(path);
    const { failed } = await everyFault(stack, {
      async prepare() {
        writeFileSync(join(path, "gone.txt"), "soon gone");
        await brought(path);
      },
      async work(round) {
        writeFileSync(join(path, "large.bin"), Buffer.concat([video, Buffer.from(round)]));
        rmSync(join(path, "gone.txt"));
        await brought(path);
      },
      async check(round) {
        // The next container's end brings what this one's could not.
        await brought(path);
        expect((await folder("/files/large.bin")).body.equals(Buffer.concat([video, Buffer.from(round)]))).toBe(true);
        expect((await folder("/files/gone.txt")).status).toBe(404);
        expect(readFileSync(join(path, "large.bin")).length).toBe(video.length + round.length);
      },
      kinds: WRITE_FAULTS,
    });
    expect([...failed].toSorted()).toEqual(["delete files", "list files", "put files"]);
  });

  it("a folder that was lost comes back whole, or the container does not start on half of it", async () => {
    const { body: large } = await folder("/files/large.bin");
    let n = 0;
    await everyFault(stack, {
      async work() {
        n += 1;
        await brought(join(root, `lost-${n}`));
      },
      async check(round, worked) {
        if (worked) expect(readFileSync(join(root, `lost-${n}`, "large.bin")).equals(large), round).toBe(true);
        // What is not there yet is not taken for deleted.
        expect((await folder("/files/large.bin")).body.equals(large)).toBe(true);
        await brought(join(root, `lost-${n}`));
        expect(readFileSync(join(root, `lost-${n}`, "large.bin")).equals(large)).toBe(true);
      },
      kinds: READ_FAULTS,
    });
  });
});
