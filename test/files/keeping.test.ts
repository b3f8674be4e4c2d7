import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack, type Stack } from "../../local/stack.ts";
import { connect, type Session, signIn } from "../e2e/client.ts";
import { containerOf, type TestContainer } from "../local/container-under-test.ts";

const stateDir = mkdtempSync(join(tmpdir(), "moltbot-files-"));
const canary = mkdtempSync(join(tmpdir(), "moltbot-canary-"));
const SECRET = "what only the machine knows";

let stack: Stack;
let session: Session;
let box: TestContainer & AsyncDisposable;
beforeAll(async () => {
  writeFileSync(join(canary, "secret.txt"), SECRET);
  stack = await startStack({ stateDir, variables: {} });
  const bot = { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() };
  session = await connect(bot, await signIn(bot));
  box = containerOf(stack.host, "writer");
  await box.start();
});
afterAll(async () => {
  await session?.close();
  await box?.[Symbol.asyncDispose]();
  await stack?.close();
  for (const folder of [stateDir, canary]) rmSync(folder, { recursive: true, force: true });
});

/** What the bucket has of the folder, by path. */
async function kept(): Promise<string[]> {
  const { data, isError, text } = await session.call("file_list", { path: "/files", recursive: true, hidden: true });
  expect(isError, text).toBe(false);
  return data.entries.filter(({ type }: { type: string }) => type === "file").map(({ path }: { path: string }) => path);
}

async function content(path: string): Promise<string> {
  const { data } = await session.call("file_read", { path });
  return data.content ?? "";
}

const log = () => readFileSync(join(stateDir, "moltbot.log"), "utf8");

const eventually = (path: string) => expect.poll(() => content(path), { timeout: 60_000 });

describe("the folder for large files on one machine", () => {
  it("is brought to the bucket while the container runs: new, changed and deleted files", async () => {
    await box.sh(
      "mkdir -p /files/deep/er && echo one > /files/deep/er/a.txt && : > /files/empty && mountpoint -q /files",
    );
    await eventually("/files/deep/er/a.txt").toBe("one\n");
    await expect.poll(kept, { timeout: 60_000 }).toEqual(["/files/deep/er/a.txt", "/files/empty"]);
    // As large and as old as before: only its content tells.
    await box.sh(
      "touch -r /files/deep/er/a.txt /tmp/then; echo two > /files/deep/er/a.txt; touch -r /tmp/then /files/deep/er/a.txt",
    );
    await eventually("/files/deep/er/a.txt").toBe("two\n");
    await box.sh("mv /files/deep /files/moved && rm /files/empty");
    await expect.poll(kept, { timeout: 60_000 }).toEqual(["/files/moved/er/a.txt"]);
  });

  it("has all that was written when the container has ended, however it ended", async () => {
    await box.sh("head -c 50000000 /dev/urandom > /files/large.bin; echo last > /files/last.txt");
    const sum = (await box.sh("tail -c 1000 /files/large.bin | base64 -w0")).trim();
    await box.call("destroy", {});
    expect(await content("/files/last.txt")).toBe("last\n");
    const end = await session.call("file_read", { path: "/files/large.bin", offset: 49_999_000, encoding: "base64" });
    expect(end.data).toMatchObject({ size: 50_000_000, content: sum });
    await box.start();
    expect(await box.sh("cat /files/last.txt /files/moved/er/a.txt")).toBe("last\ntwo\n");
  });

  it("keeps nothing that a link leads to, however it is planted", async () => {
    await box.sh(`cd /files && mkdir trap && cd trap &&
      ln -s ${canary}/secret.txt file && ln -s ${canary} folder && ln -s /proc/self/environ environ &&
      ln -s ../../../../../../../../..${canary}/secret.txt upwards && mkfifo pipe && mkdir flip && echo mine > flip/secret.txt && echo mine > good.txt`);
    // A folder that is a link every other moment.
    const flipping = box.sh(`cd /files/trap && end=$((SECONDS + 8)); while [ $SECONDS -lt $end ]; do
      mv flip aside && ln -s ${canary} flip && rm flip && mv aside flip; done`);
    await eventually("/files/trap/good.txt").toBe("mine\n");
    await flipping;
    await eventually("/files/trap/flip/secret.txt").toBe("mine\n");
    expect((await kept()).filter((path) => path.startsWith("/files/trap"))).toEqual([
      "/files/trap/flip/secret.txt",
      "/files/trap/good.txt",
    ]);
    for (const path of await kept()) expect(await content(path)).not.toContain(SECRET);
    expect(log()).toContain("trap/file is not kept: it is a link");
    await box.sh("rm -r /files/trap");
  });

  it("takes odd names and depths as they are, or says that it does not", async () => {
    await box.sh(`cd /files && mkdir odd && cd odd && touch 'a b?#%41.txt' ünï.txt -- '-rf' $'new\\nline' "it's" &&
      touch $'\\xff\\xfe' && mkdir -p $(printf 'd/%.0s' $(seq 40)) && touch $(printf 'd/%.0s' $(seq 40))deep &&
      long=$(printf 'x%.0s' $(seq 230)) && mkdir -p $long/$long/$long/$long/$long && touch $long/$long/$long/$long/$long/far`);
    const names = ["-rf", "a b?#%41.txt", "it's", "new\nline", "ünï.txt"];
    await expect
      .poll(async () => (await kept()).filter((path) => path.startsWith("/files/odd/")), { timeout: 60_000 })
      .toEqual(names.map((name) => `/files/odd/${name}`));
    await expect.poll(log, { timeout: 60_000 }).toMatch(/too deep[\s\S]*too long|too long[\s\S]*too deep/);
    expect(log()).toContain("a name that is no text");
    await box.sh("rm -r /files/odd");
    await expect
      .poll(kept, { timeout: 60_000 })
      .toEqual(["/files/large.bin", "/files/last.txt", "/files/moved/er/a.txt"]);
  });

  it("is filled from the bucket where it was lost, and takes nothing away there", async () => {
    await box.sh(
      "mkdir -p /files/lost/deep && echo here > /files/lost/deep/a.txt && head -c 5000000 /dev/zero > /files/lost/large.bin",
    );
    await eventually("/files/lost/deep/a.txt").toBe("here\n");
    await box.call("destroy", {});
    const before = await kept();
    rmSync(join(stateDir, "files"), { recursive: true });
    await box.start();
    expect(await box.sh("cd /files/lost && touch new && cat deep/a.txt && stat -c %s large.bin && ls -A")).toBe(
      "here\n5000000\ndeep\nlarge.bin\nnew\n",
    );
    await expect.poll(kept, { timeout: 60_000 }).toEqual([...before, "/files/lost/new"].toSorted());
    expect(readdirSync(stateDir).filter((name) => name.includes("filling"))).toEqual([]);
  });

  it("is behind a door that only the launcher opens, and not for the sandbox", async () => {
    await box.sh("echo still > /files/still.txt");
    await eventually("/files/still.txt").toBe("still\n");
    for (const init of [{}, { method: "DELETE" }, { method: "PUT", body: "x" }]) {
      const answer = await fetch(`${stack.url}/local/files?path=still.txt&size=1&stamp=x`, init);
      expect(answer.status).toBe(404);
    }
    const inside = await box.sh("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8790/local/files");
    expect(inside).toBe("404");
    expect(await content("/files/still.txt")).toBe("still\n");
  });
});
