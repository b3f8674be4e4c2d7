import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuthStack, authStack, SERVICE_TOKEN } from "../auth/stack.ts";
import { program } from "../client/program.ts";
import { archiveOf } from "../memory/archives.ts";
import { accessEdge } from "./access-edge.ts";

const folder = mkdtempSync(join(tmpdir(), "moltbot-archives-"));
const file = (name: string) => join(folder, name);
const large = randomBytes(9_000_000);

let stack: AuthStack;
let edge: Awaited<ReturnType<typeof accessEdge>>;
let env: Record<string, string>;
beforeAll(async () => {
  stack = await authStack();
  env = { CF_ACCESS_CLIENT_ID: SERVICE_TOKEN, CF_ACCESS_CLIENT_SECRET: "the service token's secret" };
  const token = { id: SERVICE_TOKEN, secret: "the service token's secret" };
  edge = await accessEdge(stack.url, token, () => stack.issuer.ticket({ common_name: SERVICE_TOKEN, sub: "" }));
  writeFileSync(
    file("first.tar.gz"),
    await archiveOf({ "workspace/MEMORY.md": "Tom\n", "workspace/large.bin": large }),
  );
  writeFileSync(file("second.tar.gz"), await archiveOf({ "workspace/MEMORY.md": "Rex\n" }));
});
afterAll(async () => {
  await edge.close();
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (name: "export" | "import", args: string[], variables = env) =>
  program(name, ["--url", edge.url, "--state", folder, ...args], { env: variables });

async function filesOf(archive: string): Promise<Record<string, Buffer>> {
  const entries = await unpackTar(gunzipSync(readFileSync(archive)));
  return Object.fromEntries(entries.map(({ header, data }) => [header.name, Buffer.from(data ?? [])]));
}

describe("export and import, by a service token through Access", () => {
  it("bring a memory in, ask before they replace one, and bring it out as a file of its owner's alone", async () => {
    expect(await run("export", ["--to", file("none.tar.gz")])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no memory yet/),
    });
    const imported = await run("import", [file("first.tar.gz")]);
    expect(imported, imported.err).toMatchObject({ code: 0, out: "" });
    expect(imported.err).toMatch(/Importing … 9\.\d MB of 9\.\d MB/);

    const unasked = await run("import", [file("second.tar.gz")]);
    expect(unasked).toMatchObject({
      code: 1,
      err: expect.stringMatching(/has a memory: generation \d{8}[\s\S]*--replace/),
    });

    const out = await run("export", ["--to", file("out.tar.gz")]);
    expect(out, out.err).toMatchObject({ code: 0, out: `${file("out.tar.gz")}\n` });
    expect(statSync(file("out.tar.gz")).mode & 0o777).toBe(0o600);
    expect((await filesOf(file("out.tar.gz")))["workspace/large.bin"]?.equals(large)).toBe(true);

    const replaced = await run("import", ["--replace", file("second.tar.gz")]);
    expect(replaced, replaced.err).toMatchObject({ code: 0 });
    const [, before = ""] = /memory_restore (\d{8})/.exec(replaced.err) ?? [];
    await run("export", ["--to", file("now.tar.gz")]);
    await run("export", ["--to", file("before.tar.gz"), "--generation", before]);
    expect(String((await filesOf(file("now.tar.gz")))["workspace/MEMORY.md"])).toBe("Rex\n");
    expect(String((await filesOf(file("before.tar.gz")))["workspace/MEMORY.md"])).toBe("Tom\n");
  });

  it("say what is wrong, and leave nothing behind", async () => {
    await run("import", ["--replace", file("second.tar.gz")]);
    writeFileSync(file("broken.tar.gz"), readFileSync(file("first.tar.gz")).subarray(0, 8_000_000));
    writeFileSync(file("taken.tar.gz"), "mine");
    const cases: [name: "export" | "import", args: string[], says: RegExp][] = [
      ["export", [], /No file to write to[\s\S]*npm run export/],
      ["export", ["--to", file("taken.tar.gz")], /is there already/],
      [
        "export",
        ["--to", file("x.tar.gz"), "--generation", "99999999"],
        /no generation 99999999[\s\S]*There are: \d{8}/,
      ],
      ["export", ["--to", file("nowhere/x.tar.gz")], /cannot be written/],
      ["export", ["--to", file("x.tar.gz"), "--force"], /--force[\s\S]*npm run export/],
      ["import", [], /one file to import[\s\S]*npm run import/],
      ["import", [file("first.tar.gz"), "another"], /one file/],
      ["import", [file("missing.tar.gz")], /no file .*missing/],
      ["import", [folder], /no file/],
      ["import", ["--replace", file("taken.tar.gz")], /no tar\.gz/],
      ["import", ["--replace", file("broken.tar.gz")], /cut off/],
    ];
    for (const [name, args, says] of cases) {
      const { code, out, err } = await run(name, args);
      expect([args, code, out]).toEqual([args, 1, ""]);
      expect(err).toMatch(says);
      expect(err).not.toMatch(/\n {4}at |service token's secret/);
    }
    expect(readFileSync(file("taken.tar.gz"), "utf8")).toBe("mine");
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
    expect(existsSync(file("x.tar.gz"))).toBe(false);
  });

  it("show the token to the one address alone", async () => {
    const wrong = await run("export", ["--to", file("x.tar.gz")], { ...env, CF_ACCESS_CLIENT_SECRET: "wrong" });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/did not let the service token in/) });
    const none = await program("export", ["--url", edge.url, "--state", folder, "--to", file("x.tar.gz")]);
    expect(none).toMatchObject({
      code: 1,
      err: expect.stringMatching(/nothing to sign in with[\s\S]*CF_ACCESS_CLIENT_ID/),
    });
    const open = await program("export", ["--url", "http://moltbot.example", "--to", file("x.tar.gz")], { env });
    expect(open).toMatchObject({ code: 1, err: expect.stringMatching(/https only/) });
    const gone = await program("export", ["--url", "http://127.0.0.1:9", "--to", file("x.tar.gz")], { env });
    expect(gone).toMatchObject({ code: 1, err: expect.stringMatching(/could not be made/) });
    expect(edge.seen.join("\n")).not.toMatch(/secret|wrong/);
  });
});
