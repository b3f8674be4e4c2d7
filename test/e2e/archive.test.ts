import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { program } from "../client/program.ts";
import { connect, type Session, signIn } from "./client.ts";

const folder = mkdtempSync(join(tmpdir(), "moltbot-moving-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One after the other, each with a state of its own; as `npm start` leaves it, so that the programs find it. */
async function onMachine(name: string, work: (session: Session, state: string) => Promise<void>): Promise<void> {
  const state = join(folder, name);
  const stack = await startStack({ stateDir: state, variables: {} });
  try {
    const { url, passwordFile } = stack;
    writeFileSync(join(state, "run.json"), JSON.stringify({ url, pid: process.pid, passwordFile }));
    const bot = { url, password: readFileSync(passwordFile, "utf8").trim() };
    const session = await connect(bot, await signIn(bot));
    await work(session, state);
    await session.close();
  } finally {
    await stack.close();
  }
}

async function found(session: Session, query: string): Promise<string> {
  const hits = async () => (await session.call("memory_search", { query })).text;
  await expect.poll(hits, { timeout: 60_000, interval: 250 }).toContain("**");
  return await hits();
}

describe("a Moltbot that moves to another machine", { timeout: 600_000 }, () => {
  it("knows there what it was told here, asleep and awake", async () => {
    const file = join(folder, "moltbot.tar.gz");
    await onMachine("old", async (session, state) => {
      const told = await session.chat("remember: my cat is called Tom", { conversation: "cat" });
      expect(told.data.status, told.text).toBe("done");
      await found(session, '"cat is called Tom"');
      // Ends in order: what was said last is committed.
      await session.restart();
      const exported = await program("export", ["--state", state, "--to", file]);
      expect(exported, exported.err).toMatchObject({ code: 0, out: `${file}\n` });
    });

    await onMachine("new", async (session, state) => {
      const imported = await program("import", ["--state", state, file]);
      expect(imported, imported.err).toMatchObject({ code: 0 });
      expect(await found(session, '"my cat is called Tom"')).toContain("workspace/MEMORY.md");
      expect((await session.call("memory_read", { path: "MEMORY.md" })).text).toContain("my cat is called Tom");
      expect((await session.call("bot_status")).data).toMatchObject({ phase: "asleep", starts: 0 });

      const asked = await session.chat("run: cat MEMORY.md", { conversation: "other" });
      expect(asked.data.status, asked.text).toBe("done");
      expect(asked.text).toContain("my cat is called Tom");

      // Over a bot that is awake and knows something else by now.
      await session.chat("remember: my dog is called Rex", { conversation: "dog" });
      await found(session, '"dog is called Rex"');
      expect(await program("import", ["--state", state, file])).toMatchObject({ code: 1 });
      const replaced = await program("import", ["--state", state, "--replace", file]);
      expect(replaced, replaced.err).toMatchObject({ code: 0 });
      const again = await session.chat("run: cat MEMORY.md", { conversation: "another" });
      expect(again.text).toContain("my cat is called Tom");
      expect(again.text).not.toContain("Rex");
      const { data } = await session.call("memory_generations");
      const reasons = data.generations.map(({ reason }: { reason: string }) => reason);
      expect(reasons.filter((reason: string) => reason === "import")).toHaveLength(2);
    });
  });
});
