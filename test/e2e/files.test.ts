import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack, type Stack } from "../../local/stack.ts";
import { connect, type Session, signIn } from "./client.ts";

const stateDir = mkdtempSync(join(tmpdir(), "moltbot-large-"));
let stack: Stack;
let session: Session;
beforeAll(async () => {
  stack = await startStack({ stateDir, variables: {} });
  const bot = { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() };
  session = await connect(bot, await signIn(bot));
});
afterAll(async () => {
  await session?.close();
  await stack?.close();
  rmSync(stateDir, { recursive: true, force: true });
});

/** The container is gone with everything on its disk. */
async function destroyContainer(): Promise<void> {
  const sandboxes = join(stateDir, "sandboxes");
  for (const id of readdirSync(sandboxes)) {
    const headers = { "x-container-host-token": stack.host.token };
    await fetch(`${stack.host.url}/containers/${id}/destroy`, { method: "POST", headers, body: "{}" });
    rmSync(join(sandboxes, id), { recursive: true, force: true });
  }
}

describe("large files of a Moltbot", { timeout: 400_000 }, () => {
  it("outlive its container, and are listed, read and linked to while it sleeps", async () => {
    const told = await session.chat(
      "run: mountpoint /files && mkdir -p /files/videos && seq 1 200000 > /files/videos/tour.txt && cat /opt/moltbot/skills/files/SKILL.md | head -3",
    );
    expect(told.data.status, told.text).toBe("done");
    expect(told.text).toContain("/files is a mountpoint");
    expect(told.text).toContain("name: files");
    expect((await session.call("bot_status")).data.files).toEqual({ path: "/files" });
    await session.restart();
    await destroyContainer();
    const asleep = async () => (await session.call("bot_status")).data;
    await expect.poll(async () => (await asleep()).phase, { timeout: 60_000 }).toBe("asleep");
    const { starts } = await asleep();

    const listed = await session.call("file_list", { path: "/files", recursive: true });
    expect(listed.data.entries).toContainEqual(
      expect.objectContaining({ path: "/files/videos/tour.txt", size: 1_288_895, type: "file" }),
    );
    const read = await session.call("file_read", { path: "/files/videos/tour.txt", offset: 1_288_888 });
    expect(read.text).toBe("200000\n");
    const linked = await session.call("file_read", { path: "/files/videos/tour.txt" });
    const { contents } = await session.client.readResource({ uri: `${linked.links[0]}?offset=1288881&limit=7` });
    expect(contents[0]).toMatchObject({ text: "199999\n" });
    expect(await asleep()).toMatchObject({ phase: "asleep", starts });

    const after = await session.chat("run: tail -n 1 /files/videos/tour.txt && rm /files/videos/tour.txt");
    expect(after.text).toContain("200000");
    const gone = async () => (await session.call("file_list", { path: "/files", recursive: true })).data.entries;
    await expect.poll(gone, { timeout: 60_000 }).toEqual([]);
    expect((await session.call("memory_list", { prefix: "workspace/" })).text).not.toContain("tour");
  });
});
