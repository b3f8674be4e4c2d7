import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack, type Stack } from "../../local/stack.ts";
import { connect, type Session, signIn } from "./client.ts";

const stateDir = mkdtempSync(join(tmpdir(), "moltbot-memory-"));
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

/** The container is gone with everything on its disk, as on Cloudflare after every sleep. */
async function destroyContainer(): Promise<void> {
  const sandboxes = join(stateDir, "sandboxes");
  for (const id of readdirSync(sandboxes)) {
    const headers = { "x-container-host-token": stack.host.token };
    await fetch(`${stack.host.url}/containers/${id}/destroy`, { method: "POST", headers, body: "{}" });
    rmSync(join(sandboxes, id), { recursive: true, force: true });
  }
}

// Each test starts the gateway once or twice.
describe("a Moltbot's memory", { timeout: 400_000 }, () => {
  it("outlives its container, and is read without one", async () => {
    const told = await session.chat("remember: my cat is called Tom", { conversation: "cat" });
    expect(told.data.status, told.text).toBe("done");
    const searched = await eventuallyFound('"cat is called Tom"', "note");
    expect(searched.text).toContain("workspace/MEMORY.md");

    // Ends in order, and so has committed what was said last.
    await session.restart();
    await destroyContainer();
    const { starts } = (await session.call("bot_status")).data;
    const { text: said } = await eventuallyFound('"my cat is called Tom"', "conversation");
    expect(said).toContain("conversations/main/");
    expect((await session.call("memory_read", { path: "MEMORY.md" })).text).toContain("my cat is called Tom");
    const { data: listed } = await session.call("memory_list", { prefix: "workspace/" });
    expect(listed.files.map(({ path }: { path: string }) => path)).toContain("workspace/MEMORY.md");
    const { data: status } = await session.call("bot_status");
    expect(status).toMatchObject({ phase: "asleep", starts });
    expect(status.memory).toMatchObject({ lag_ms: expect.any(Number), next_prune: expect.any(String), not_kept: [] });

    const { data } = await session.chat("say: are you there?", { conversation: "other" });
    expect(data.status).toBe("done");
    expect((await session.call("file_read", { path: "MEMORY.md" })).text).toContain("my cat is called Tom");
    const history = await session.call("chat_history", { conversation: "cat" });
    expect(history.text).toContain("my cat is called Tom");
  });

  it("can be put back to what it was", async () => {
    const { data } = await session.call("memory_generations");
    const [before] = data.generations;
    expect(before, JSON.stringify(data)).toBeDefined();
    await session.chat("remember: my dog is called Rex", { conversation: "dog" });
    await eventuallyFound('"dog is called Rex"', "note");
    const { data: restored, text } = await session.call("memory_restore", { generation: before.generation });
    expect(restored, text).toMatchObject({ restored: before.generation, started: true });
    const { text: notes } = await session.call("file_read", { path: "MEMORY.md" });
    expect(notes).toContain("Tom");
    expect(notes).not.toContain("Rex");
  });

  it("says what is wrong with a path, a generation or a query, and takes no query for an operator", async () => {
    const wrong: [tool: string, input: Record<string, unknown>, says: RegExp][] = [
      ["memory_read", { path: "../home/moltbot/.openclaw/openclaw.json" }, /memory_list/],
      ["memory_read", { path: "workspace/../state/openclaw.json" }, /memory_list/],
      ["memory_read", { path: "/home/moltbot/.openclaw/state/openclaw.sqlite" }, /memory_list/],
      ["memory_read", { path: "MEMORY.md", generation: "99999999" }, /no generation 99999999/],
      ["memory_read", { path: "MEMORY.md", generation: "the last one" }, /generation/],
      ["memory_restore", { generation: "99999998" }, /no generation 99999998/],
    ];
    for (const [tool, input, says] of wrong) {
      const { isError, text } = await session.call(tool, input);
      expect(isError, `${tool} ${JSON.stringify(input)}`).toBe(true);
      expect(text).toMatch(says);
    }
    for (const query of [
      '"',
      '"cat" AND',
      "cat OR (",
      "path:x",
      "NEAR(cat Tom)",
      "* ^ -",
      "'; DROP TABLE files --",
      "🐈",
    ]) {
      const { isError, text } = await session.call("memory_search", { query });
      expect(isError, `${query}: ${text}`).toBe(false);
    }
    expect((await session.call("memory_search", { query: 'Tom AND "called' })).text).toContain("**Tom**");
  });
});

/** The keeper commits a moment after the bot has written. */
async function eventuallyFound(query: string, kind: "note" | "conversation") {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await session.call("memory_search", { query, kinds: [kind] });
    if (found.data.hits?.length > 0 || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
