import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type LifecycleStack, lifecycleStack, PATIENCE } from "../lifecycle/stack.ts";

// Each starts gateways, which take minutes on a machine that is far too busy.
vi.setConfig({ testTimeout: 3 * PATIENCE, hookTimeout: PATIENCE });

let bot: LifecycleStack;
beforeAll(async () => {
  bot = await lifecycleStack();
});
afterAll(() => bot[Symbol.asyncDispose]());

describe("a sleeping Moltbot", () => {
  it("is started once by 50 requests of all kinds at a time", async () => {
    const { session, object } = bot;
    const kinds = [
      (n: number) => session.chat(`say: ${n}`, { conversation: `cold-${n % 4}` }),
      () => session.call("command_run", { command: "echo here" }),
      () => session.call("file_list", { path: "/workspace" }),
      () => session.call("bot_status"),
      () => session.call("bot_wake"),
      // What the admin page's button calls, and what the log beside it does.
      () => object("gatewayStart"),
      () => object("gatewayLog", 50),
      () => object("gatewayReady"),
    ];
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => kinds[n % kinds.length]?.(n)));
    const refused = answers.filter((answer) => JSON.stringify(answer).match(/"isError":true|"ok":false/));
    expect(refused).toEqual([]);
    expect(await bot.becomes("ready")).toMatchObject({ starts: 1, uptime: { starts: 1 } });
  });

  it("has stopped when bot_sleep returns, and answers who asked meanwhile", async () => {
    const { session, box } = bot;
    await bot.becomes("ready");
    await session.call("bot_sleep");
    expect(await box.running()).toBe(false);
    expect(await bot.status()).toMatchObject({ phase: "asleep" });
    await session.call("bot_wake");
    await bot.becomes("ready");
    const ending = session.call("bot_sleep");
    await bot.becomes("draining");
    const [asked, ended] = await Promise.all([session.chat("say: woken", { conversation: "woken" }), ending]);
    expect(asked.text).toContain("woken");
    expect(ended.isError).toBe(false);
    expect(await bot.status()).toMatchObject({ phase: "ready", starts: 3 });
  });

  it("told to sleep no more, and then to sleep again, sleeps on time however often it is looked at, and wakes", async () => {
    const { session, object, box } = bot;
    await bot.tell({ sleepAfter: "never" });
    await session.chat("say: up", { conversation: "never" });
    await sleep(6_000);
    await bot.tell({ sleepAfter: "12s" });
    await session.call("command_run", { command: "true" });
    const since = Date.now();
    let looked = 0;
    while ((await box.running()) && Date.now() < since + PATIENCE) {
      const { phase } = await bot.status();
      if (phase === "ready") await session.call("bot_logs", { lines: 5 });
      await object("uptime");
      looked += 1;
      await sleep(500);
    }
    // The chat's connection is kept for a minute, which counts as use; the rounds are 5 s apart.
    expect(Date.now() - since).toBeLessThan(60_000 + 12_000 + 30_000);
    expect(looked).toBeGreaterThan(10);
    await bot.becomes("asleep");
    await bot.tell({});
    expect((await session.chat("say: awake", { conversation: "never" })).text).toContain("awake");
  });

  it("past the month's hours stops, and is started in no way", async () => {
    const { session, object, box } = bot;
    await bot.becomes("ready");
    await bot.tell({ capHours: 0.0001 });
    await expect.poll(() => box.running(), { timeout: PATIENCE }).toBe(false);
    await bot.becomes("asleep");
    const { uptime } = await bot.status();
    const refused = await Promise.all([
      session.call("command_run", { command: "true" }),
      session.call("file_list", { path: "/workspace" }),
      session.call("bot_wake"),
      session.call("bot_restart"),
      session.chat("say: no", { conversation: "cap" }),
    ]);
    for (const { text } of refused)
      expect(text).toMatch(/0.0001 hours that this month may have[^]*SANDBOX_MONTHLY_HOURS/);
    // Past our own methods: HTTP and sockets to a port, and the port of the commands.
    for (const port of [18789, 8080, 3000]) expect(await object("knock", port)).toBeGreaterThanOrEqual(500);
    await expect(object("exists", "/")).rejects.toThrow();
    await object("gatewayLog", 10);
    expect(await box.running()).toBe(false);
    expect((await bot.status()).uptime).toEqual(uptime);
    expect(uptime).toMatchObject({ cap_hours: 0.0001 });
    await bot.tell({});
    expect((await session.chat("say: again", { conversation: "cap" })).text).toContain("again");
  });
});
