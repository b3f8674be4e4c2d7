import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { connect, signIn } from "./client.ts";

const stateDir = mkdtempSync(join(tmpdir(), "moltbot-cold-"));
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

// Two Moltbots on one state folder would break each other, so also a test that fails ends its own.
let running: Awaited<ReturnType<typeof startStack>> | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

/** A Moltbot of this file's own, with a signed-in client. */
async function start(port?: number) {
  const stack = await startStack({ stateDir, variables: {}, ...(port ? { port } : {}) });
  running = stack;
  const bot = { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() };
  const session = await connect(bot, await signIn(bot));
  return {
    session,
    url: stack.url,
    async close() {
      await session.close();
      running = undefined;
      await stack.close();
    },
  };
}

describe("a sleeping Moltbot", () => {
  it("is started once by 20 calls at a time, and finds its memory after a restart", async () => {
    const bot = await start();
    const { session } = bot;
    expect((await session.call("bot_status")).data).toMatchObject({ phase: "asleep", starts: 0 });
    const chats = Array.from({ length: 20 }, (_, n) => session.chat(`say: ${n}`, { conversation: `cold-${n % 2}` }));
    const answers = await Promise.all(chats);
    expect(
      answers.map(({ data }) => data.status),
      answers[0]?.text,
    ).toEqual(answers.map(() => "done"));
    expect((await session.call("bot_status")).data).toMatchObject({ phase: "ready", starts: 1 });
    await session.chat("remember: kept over a restart", { conversation: "kept" });
    await bot.close();

    const again = await start();
    expect(again.url).toBe(bot.url);
    // Each run has a log of its own; only the last one's is kept beside it.
    expect(
      readdirSync(stateDir)
        .filter((name) => name.startsWith("moltbot.log"))
        .toSorted(),
    ).toEqual(["moltbot.log", "moltbot.log.1"]);
    expect((await again.session.call("bot_status")).data.phase).toBe("asleep");
    const { data: memory } = await again.session.call("file_read", { path: "MEMORY.md" });
    expect(memory.content).toContain("kept over a restart");
    // It starts the gateway, which on a busy machine takes longer than one call may.
    const history = async () => (await again.session.call("chat_history", { conversation: "kept" })).text;
    await expect.poll(history, { timeout: 180_000, interval: 1_000 }).toContain("kept over a restart");
    // Nobody chats: so that the first answer comes sooner, it is made to load what that needs.
    const log = () => readFileSync(join(stateDir, "moltbot.log"), "utf8");
    await expect.poll(log, { timeout: 120_000, interval: 500 }).toMatch(/"operation":"gateway.warm","outcome":200/);
    const { text } = await again.session.call("memory_list", { prefix: "conversations/" });
    expect(text.match(/^conversations\//gm), text).toHaveLength(3);
    await again.close();
  });

  it("stops trying after three failed starts, says why, and starts when asked again", async () => {
    // Somebody has the port the bot is told to use: it takes another.
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const address = squatter.address();
    const taken = typeof address === "object" && address ? address.port : 0;
    const bot = await start(taken);
    squatter.close();
    expect(new URL(bot.url).port).not.toBe(String(taken));

    const { session } = bot;
    // The gateway of before was ended with its launcher; it would be started again by itself beside the starts counted here.
    await session.call("bot_sleep");
    const run = (command: string) => session.call("command_run", { command });
    // In the place of its configuration stands what no start can write over.
    await run("rm ~/.openclaw/openclaw.json && mkdir -p ~/.openclaw/openclaw.json/in-the-way");
    const before = (await session.call("bot_status")).data.starts;
    const failed = await session.chat("say: hello");
    expect(failed.data.status).toBe("failed");
    expect(failed.data.error).toMatchObject({ code: "given_up", hint: expect.stringContaining("bot_restart") });
    expect(failed.text).toContain("openclaw.json");
    const { data: status } = await session.call("bot_status");
    expect(status).toMatchObject({
      phase: "failed",
      starts: before + 3,
      reason: expect.stringContaining("openclaw.json"),
    });

    await session.chat("say: hello again");
    expect((await session.call("bot_status")).data.starts).toBe(before + 3);

    await run("rm -r ~/.openclaw/openclaw.json");
    await session.restart();
    expect((await session.chat("say: hello at last")).text).toContain("hello at last");

    // What the gateway itself cannot start with is not tried again at all, and the end of its log is shown.
    await run(
      "pkill -KILL -f [o]penclaw-gateway; echo garbage > ~/.openclaw/state/openclaw.sqlite; rm -f ~/.openclaw/state/openclaw.sqlite-*",
    );
    await session.call("bot_restart");
    const garbled = async () => (await session.call("bot_status")).data;
    await expect.poll(garbled, { timeout: 90_000, interval: 500 }).toMatchObject({
      phase: "failed",
      reason: expect.stringMatching(/exit code 78[^]*openclaw.sqlite/),
    });
    const refused = await session.chat("say: hello to nobody");
    expect(refused.data.error.hint).toContain("bot_restart");
    await bot.close();
  });
});
