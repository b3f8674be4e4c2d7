import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync, gzipSync } from "node:zlib";
import { packTar, type TarEntry, unpackTar } from "modern-tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryStack, type MemoryStack } from "./stack.ts";

let stack: MemoryStack;
let archive: Uint8Array<ArrayBuffer>;
let workspace: string;
beforeAll(async () => {
  stack = await memoryStack();
  const disk = stack.disk();
  workspace = disk.workspace;
  mkdirSync(join(workspace, "deep/er"), { recursive: true });
  mkdirSync(join(workspace, "empty"));
  writeFileSync(join(workspace, "MEMORY.md"), "My cat is called Tom.\n");
  chmodSync(join(workspace, "MEMORY.md"), 0o640);
  writeFileSync(join(workspace, "deep/er/ünï.txt"), "ü".repeat(200_000));
  writeFileSync(join(workspace, "large.bin"), pseudoRandom(6_000_000));
  symlinkSync("MEMORY.md", join(workspace, "link.md"));
  symlinkSync("/etc/hostname", join(workspace, "out.md"));
  const database = new DatabaseSync(join(disk.state, "some.sqlite"));
  database.exec("CREATE TABLE t (x); INSERT INTO t VALUES ('kept')");
  database.close();
  await disk.keepOnce();
  archive = await exported((await stack.call("status")).head.id);
});
afterAll(() => stack.close());

async function exported(generation: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`${stack.url}/export/${generation}`);
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

async function imported(to: MemoryStack, body: Uint8Array<ArrayBuffer>) {
  const response = await fetch(`${to.url}/import`, { method: "POST", body });
  return { status: response.status, text: await response.text() };
}

/** As the archive, but with its entries changed. */
async function changed(change: (entries: TarEntry[]) => TarEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const entries = (await unpackTar(gunzipSync(archive))).map(({ header, data }) => ({ header, body: data }));
  return new Uint8Array(gzipSync(await packTar(change(entries))));
}

/** With one more file, of which manifest.json says `item`. */
function added(item: Record<string, unknown>, entry: TarEntry) {
  return changed((entries) => [
    ...entries.map((one) => {
      if (one.header.name !== "manifest.json" || !(one.body instanceof Uint8Array)) return one;
      const contents = z
        .looseObject({ files: z.array(z.unknown()) })
        .parse(JSON.parse(new TextDecoder().decode(one.body)));
      const body = new TextEncoder().encode(JSON.stringify({ ...contents, files: [...contents.files, item] }));
      return { header: { ...one.header, size: body.byteLength }, body };
    }),
    entry,
  ]);
}

const common = { mode: 0o644, modified: 1_700_000_000_000 };
const EVIL = new TextEncoder().encode("evil");
const evil = {
  ...common,
  kind: "file",
  size: EVIL.byteLength,
  sha256: createHash("sha256").update(EVIL).digest("hex"),
};
const file = (name: string): TarEntry => ({ header: { name, size: EVIL.byteLength }, body: EVIL });

describe("an exported archive", () => {
  it("opens with tar, holds files, databases and links as they are, and says what it left out", async () => {
    const folder = join(stack.disk().root, "opened");
    mkdirSync(folder);
    const { status, stderr } = spawnSync("tar", ["-xzf", "-", "-C", folder, "--no-same-owner"], { input: archive });
    expect([status, String(stderr)]).toEqual([0, ""]);
    for (const name of ["MEMORY.md", "deep/er/ünï.txt", "large.bin", "link.md"]) {
      expect(readFileSync(join(folder, "workspace", name)).equals(readFileSync(join(workspace, name)))).toBe(true);
    }
    const database = new DatabaseSync(join(folder, "state/some.sqlite"), { readOnly: true });
    expect(database.prepare("SELECT x FROM t").get()).toEqual({ x: "kept" });
    database.close();
    const contents: unknown = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    expect(contents).toMatchObject({ moltbot: 1, leftOut: ["workspace/out.md"] });
  });

  it("makes another bot know the same, beside what that one knew", async () => {
    const other = await memoryStack();
    try {
      const disk = other.disk();
      writeFileSync(join(disk.workspace, "old.md"), "what was there before");
      await disk.keepOnce();
      const before = (await other.call("status")).head.id;
      const { status, text } = await imported(other, archive);
      expect(status, text).toBe(200);
      expect(JSON.parse(text)).toMatchObject({ reason: "import" });
      const ids = (await other.call("generations")).map(({ id }: { id: string }) => id);
      expect(ids).toContain(before);

      const blank = other.disk();
      await blank.restore();
      for (const name of ["MEMORY.md", "deep/er/ünï.txt", "large.bin", "link.md"]) {
        expect(readFileSync(join(blank.workspace, name)).equals(readFileSync(join(workspace, name)))).toBe(true);
      }
      const request = { reader: "nobody", query: "cat Tom", limit: 5, kinds: ["note"], since: "" };
      expect((await other.call("search", request)).hits).toHaveLength(1);
      await other.call("restore", before);
      await blank.restore();
      expect(blank.read("workspace/old.md")).toBe("what was there before");
    } finally {
      await other.close();
    }
  });
});

describe("an archive that is no good is refused with a reason, and the head stays", () => {
  const cases: [what: string, make: () => Promise<Uint8Array<ArrayBuffer>>, says: RegExp][] = [
    ["is not gzip", async () => new Uint8Array(Buffer.from("hello, this is no archive")), /no tar\.gz/],
    ["is empty", async () => new Uint8Array(), /no tar\.gz|does not begin/],
    ["is cut off", async () => archive.slice(0, archive.byteLength / 2), /cut off/],
    ["lacks its last bytes", async () => archive.slice(0, -5), /cut off/],
    ["has no manifest", () => changed((entries) => entries.slice(1)), /does not begin with manifest\.json/],
    ["lacks a file", () => changed((entries) => entries.slice(0, -1)), /lacks 1 of its files/],
    ["has a file twice", () => changed((entries) => [...entries, ...entries.slice(-1)]), /twice/],
    ["has a file nobody named", () => changed((entries) => [...entries, file("workspace/new.md")]), /does not name/],
    ["has ..", () => changed((entries) => [...entries, file("workspace/../../evil")]), /no allowed place/],
    ["has an absolute path", () => changed((entries) => [...entries, file("/etc/evil")]), /no allowed place/],
    ["names ..", () => added({ ...evil, path: "workspace/../x" }, file("workspace/../x")), /not that of an export/],
    [
      "has a wrong hash",
      () => added({ ...evil, path: "workspace/x", sha256: "0".repeat(64) }, file("workspace/x")),
      /content its hash says/,
    ],
    [
      "has another size",
      () => added({ ...evil, path: "workspace/x", size: 9 }, file("workspace/x")),
      /4 bytes and should have 9/,
    ],
    [
      "names a gigantic file",
      () => added({ ...evil, path: "workspace/x", size: 2 ** 40 }, file("workspace/x")),
      /at most 1073741824 bytes/,
    ],
    [
      "has a link that leads out",
      () =>
        added(
          { ...common, kind: "link", path: "workspace/x", target: "../../etc" },
          { header: { name: "workspace/x", size: 0, type: "symlink", linkname: "../../etc" } },
        ),
      /leads out/,
    ],
    [
      "has a file below a link",
      () => added({ ...evil, path: "workspace/link.md/x" }, file("workspace/link.md/x")),
      /below workspace\/link\.md/,
    ],
    [
      "has a hard link in a file's place",
      () =>
        added(
          { ...evil, path: "workspace/x" },
          { header: { name: "workspace/x", size: 0, type: "link", linkname: "workspace/MEMORY.md" } },
        ),
      /should be a file/,
    ],
  ];
  it.each(cases)("%s", async (_what, make, says) => {
    const { head } = await stack.call("status");
    const { status, text } = await imported(stack, await make());
    expect(status, text).toBe(400);
    expect(text).toMatch(says);
    expect((await stack.call("status")).head.id).toBe(head.id);
  });
});

const zeros = (bytes: number) => Buffer.alloc(bytes);
const MANY = 300 * 1024 * 1024;
const tarOf = async (entries: TarEntry[]) => Buffer.from(await packTar(entries));
const squeezed = (...parts: Uint8Array[]) => new Uint8Array(gzipSync(Buffer.concat(parts)));
const contents = (files: unknown[]) => {
  const text = JSON.stringify({ moltbot: 1, generation: "00000001", at: "", leftOut: [], files });
  return { header: { name: "manifest.json", size: Buffer.byteLength(text) }, body: text };
};

describe("an archive that unpacks to far more than it is", () => {
  const cases: [what: string, make: () => Promise<Uint8Array<ArrayBuffer>>, status: number, says: RegExp][] = [
    ["is nothing but zeros", async () => squeezed(zeros(MANY)), 413, /unpacks to more than it says/],
    [
      "has a manifest without end",
      async () => squeezed(await tarOf([{ header: { name: "manifest.json", size: MANY }, body: zeros(MANY) }])),
      413,
      /manifest\.json may have/,
    ],
    [
      "has a file that is larger than its manifest says",
      async () =>
        squeezed(
          await tarOf([
            contents([{ ...evil, path: "workspace/x" }]),
            { header: { name: "workspace/x", size: MANY }, body: zeros(MANY) },
          ]),
        ),
      400,
      /has 314572800 bytes and should have 4/,
    ],
    [
      "goes on behind its end",
      async () =>
        squeezed(await tarOf([contents([{ ...evil, path: "workspace/x" }]), file("workspace/x")]), zeros(MANY)),
      413,
      /unpacks to more than it says/,
    ],
    [
      "has a manifest that names more than any disk holds",
      async () =>
        squeezed(
          await tarOf([
            contents(
              Array.from({ length: 20 }, (_file, n) => ({ ...evil, path: `workspace/${n}`, size: 1024 * 1024 * 1024 })),
            ),
          ]),
        ),
      413,
      /names files of 21474836480 bytes/,
    ],
  ];
  it.each(cases)("%s", async (_what, make, expected, says) => {
    const { head } = await stack.call("status");
    const bomb = await make();
    expect(bomb.byteLength).toBeLessThan(1_000_000);
    const { status, text } = await imported(stack, bomb);
    expect(status, text).toBe(expected);
    expect(text).toMatch(says);
    expect((await stack.call("status")).head.id).toBe(head.id);
  });
});

/** What does not shrink, always the same. */
function pseudoRandom(bytes: number): Buffer {
  const parts = Array.from({ length: Math.ceil(bytes / 32) }, (_part, n) =>
    createHash("sha256").update(`${n}`).digest(),
  );
  return Buffer.concat(parts).subarray(0, bytes);
}
