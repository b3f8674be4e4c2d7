import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuthStack, authStack, OWNER } from "../auth/stack.ts";
import { startTelegram, type TelegramStandIn } from "./telegram.ts";
import { type TestVisitor, visitor } from "./visitor.ts";

const TOKEN = "1234:the-real-telegram-token";
const ANNA = { id: 4242, first_name: "Anna", username: "anna" };
const MALLORY = { id: 6666, first_name: "<b>Mallory</b>" };

let telegram: TelegramStandIn;
let stack: AuthStack;
let owner: TestVisitor;
beforeAll(async () => {
  telegram = await startTelegram(TOKEN);
  stack = await authStack({ TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_API_URL: telegram.url });
  owner = await visitor(stack, { email: OWNER.email });
});
afterAll(async () => {
  await stack?.close();
  await telegram?.close();
});

const waits = { timeout: 120_000, interval: 500 };
const requests = async () => (await owner.read("pairings")).requests;
const phase = async () => JSON.parse((await owner.get("status")).text).gateway?.phase;

describe("who asks to write to the bot on Telegram", () => {
  it("is not asked for while the bot sleeps, and nothing is started", async () => {
    const before = await stack.counts();
    const name = { channel: "telegram", account: "default", requestId: "x" };
    for (const refused of [
      await owner.get("pairings"),
      await owner.post("pairings/approve", name),
      await owner.post("pairings/reject", name),
    ]) {
      expect(refused.status).toBe(503);
      expect(JSON.parse(refused.text).error).toMatchObject({ code: "unavailable", hint: "Start the Moltbot first." });
    }
    expect(await stack.counts()).toEqual(before);
  });

  it("is listed, and heard once let in", async () => {
    await owner.post("bot/start");
    await expect.poll(phase, waits).toBe("ready");
    expect(await owner.read("pairings")).toEqual({
      accounts: [{ channel: "telegram", channelName: "Telegram", account: "default" }],
      requests: [],
    });
    telegram.write(ANNA, "hello");
    await expect.poll(() => telegram.said(ANNA.id).length, waits).toBe(1);
    // The bot has not answered but told how to be let in.
    expect(telegram.said(ANNA.id)[0]).toMatch(/pair/i);
    const [request] = await requests();
    expect(request).toEqual({
      requestId: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
      channel: "telegram",
      channelName: "Telegram",
      account: "default",
      sender: String(ANNA.id),
      details: expect.objectContaining({ username: "anna" }),
      requestedAt: expect.stringMatching(/Z$/),
      expiresAt: expect.stringMatching(/Z$/),
    });
    const { channel, account, requestId } = request;
    const approved = await owner.post("pairings/approve", { channel, account, requestId });
    expect([approved.status, JSON.parse(approved.text)]).toEqual([200, { told: true }]);
    expect(await requests()).toEqual([]);
    await expect.poll(() => telegram.said(ANNA.id).length, waits).toBe(2);
    expect((await owner.post("pairings/approve", { channel, account, requestId })).status).toBe(404);

    telegram.write(ANNA, "say: welcome, Anna");
    await expect.poll(() => telegram.said(ANNA.id).join("\n"), waits).toContain("welcome, Anna");
  });

  it("stays unheard when turned away, and may ask again", async () => {
    telegram.write(MALLORY, "say: the secret");
    await expect.poll(async () => (await requests()).length, waits).toBe(1);
    const [{ channel, account, requestId, sender }] = await requests();
    expect(sender).toBe(String(MALLORY.id));
    // The id of one account opens nothing on another.
    for (const other of [{ account: "other" }, { channel: "slack" }, { requestId: `${requestId}x` }]) {
      const refused = await owner.post("pairings/approve", { channel, account, requestId, ...other });
      expect([other, refused.status]).toEqual([other, 404]);
    }
    expect((await owner.post("pairings/reject", { channel, account, requestId })).text).toBe("{}");
    expect(await requests()).toEqual([]);
    expect((await owner.post("pairings/reject", { channel, account, requestId })).status).toBe(404);
    telegram.write(MALLORY, "say: the secret");
    await expect.poll(async () => (await requests()).length, waits).toBe(1);
    expect(telegram.said(MALLORY.id).join("\n")).not.toContain("the secret");
  });

  it("does not keep the chats from connecting afterwards", async () => {
    const { chats } = await owner.read("status");
    expect(chats).toEqual({ running: 0 });
    expect(stack.log()).not.toContain(TOKEN);
  });
});
