import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiums } from "../../local/browser/chromium.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "moltbot-chromium-"));
  await writeFile(join(folder, "chrome"), "");
  await symlink(join(folder, "chrome"), join(folder, "link"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function found(env: NodeJS.ProcessEnv) {
  const list = [];
  for await (const chromium of chromiums(env)) list.push(chromium);
  return list;
}

it("takes the person's choice, and then no other", async () => {
  const list = await found({ CHROME_PATH: join(folder, "link"), PATH: process.env.PATH });
  expect(list).toEqual([{ path: join(folder, "chrome"), from: "$CHROME_PATH", flags: [] }]);
});

it("says so when the choice is not there", async () => {
  await expect(found({ CHROME_PATH: join(folder, "gone") })).rejects.toThrow(`CHROME_PATH names no file: ${folder}`);
});

it("takes the packages' own browser last, and looks for the system's only where the system puts it", async () => {
  await writeFile(join(folder, "chromium"), "", { mode: 0o755 });
  const list = await found({ PATH: folder });
  expect(list).toMatchObject([{ from: "npm" }]);
  const all = await found({ PATH: `${folder}:/usr/bin:/bin` });
  expect(all.at(-1)).toEqual(list[0]);
  expect(all.slice(0, -1).every(({ from, path }) => from === "this machine" && !path.startsWith(folder))).toBe(true);
});
