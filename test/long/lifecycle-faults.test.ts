import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { killRuns } from "../lifecycle/kill-runs.ts";
import { killGateway, type LifecycleStack, lifecycleStack, PATIENCE } from "../lifecycle/stack.ts";

// Each starts gateways, which take minutes on a machine that is far too busy.
vi.setConfig({ testTimeout: 3 * PATIENCE, hookTimeout: PATIENCE });

let bot: LifecycleStack;
beforeAll(async () => {
  bot = await lifecycleStack();
});
afterAll(() => bot[Symbol.asyncDispose]());

describe("an object that is made anew, as by a deployment", () => {
  it("goes on with a start whose gateway is on its way", async () => {
    await bot.object("gatewayStart");
    await expect
      .poll(() => bot.box.sh("pgrep -f '[o]penclaw.gateway'").catch(() => ""), { timeout: PATIENCE, interval: 100 })
      .not.toBe("");
    await bot.object("evict").catch(() => undefined);
    expect(await bot.becomes("ready")).toMatchObject({ starts: 1 });
    expect((await bot.session.chat("say: healed")).text).toContain("healed");
  });

  it("begins a start again that was cut off while the memory was put back", async () => {
    await bot.session.call("bot_sleep");
    await bot.object("gatewayStart");
    await bot.becomes("restoring");
    await bot.object("evict").catch(() => undefined);
    await bot.becomes("ready");
    expect(await bot.box.sh("pgrep -fc '[k]eeper/main.ts keep'")).toBe("1\n");
  });

  it("brings an end that was cut off to its end", async () => {
    await bot.becomes("ready");
    const cut = bot.object("sleep").catch(() => undefined);
    await bot.becomes("draining");
    await bot.object("evict").catch(() => undefined);
    await cut;
    await expect.poll(() => bot.box.running(), { timeout: PATIENCE }).toBe(false);
    await bot.becomes("asleep");
  });
});

describe("a gateway", () => {
  it("that hangs is started anew by bot_wake", async () => {
    await bot.session.call("bot_wake");
    const { starts } = await bot.becomes("ready");
    await bot.box.sh("pkill -STOP -f '[o]penclaw.gateway'");
    await bot.becomes("unresponsive");
    await bot.session.call("bot_wake");
    expect(await bot.becomes("ready")).toMatchObject({ starts: Number(starts) + 1 });
  });

  it("that has ended is told from one that hangs, and started again with nobody asking", async () => {
    const { starts } = await bot.becomes("ready");
    await killGateway(bot.box);
    expect(await bot.status()).toMatchObject({ phase: "starting" });
    expect(await bot.becomes("ready")).toMatchObject({ starts: Number(starts) + 1 });
  });

  it("that is killed at random moments is ready again, or says why not", async () => {
    const runs = await killRuns(bot, [1, 2]);
    expect(runs.some(({ killed }) => killed)).toBe(true);
  });

  it("that is given a configuration it does not know says which key, and is not tried again", async () => {
    await bot.session.restart();
    const { starts } = await bot.status();
    await bot.tell({ badKey: "noSuchSetting" });
    const restarted = await bot.session.call("bot_restart");
    const status = await bot.becomes("failed");
    expect(status).toMatchObject({ starts: Number(starts) + 1 });
    expect(status.reason).toMatch(/exit code 78[^]*noSuchSetting/);
    expect(restarted.text).toContain("noSuchSetting");
    expect((await bot.session.call("bot_wake")).text).toContain("noSuchSetting");
    await bot.tell({});
    await bot.session.restart();
  });
});

describe("what keeps the memory", () => {
  it("is started again when it has ended, which is shown", async () => {
    await bot.becomes("ready");
    await bot.box.sh("pkill -KILL -f '[k]eeper/keep.sh'; pkill -KILL -f '[k]eeper/main.ts'");
    await expect
      .poll(() => bot.box.sh("pgrep -f '[k]eeper/main.ts keep'").catch(() => ""), { timeout: PATIENCE })
      .not.toBe("");
    expect((await bot.status()).problem).toMatch(/keeps the memory has ended 1 times/);
    expect((await bot.session.call("bot_status")).text).toContain("keeps the memory has ended");
  });
});
