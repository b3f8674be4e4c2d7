import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { sendMessage } from "../../src/gateway/chat.ts";
import { CHAT_SCOPES, connectGateway } from "../../src/gateway/connect.ts";
import { createDevice } from "../../src/gateway/device.ts";
import { sessionKey } from "../../src/chat/conversation.ts";
import type { ChatEvent } from "../../src/chat/event.ts";
import { liveGateway, type LiveGateway, sleep } from "../gateway/live-gateway.ts";
import { nodeAccess } from "../gateway/node-access.ts";
import { type ChatStack, chatStack, end, shown } from "./stack.ts";

let gateway: LiveGateway;
let chat: ChatStack;

beforeAll(async () => {
  gateway = await liveGateway();
  await gateway.ready();
  chat = await chatStack(gateway, { watchMs: 1_500, idleMs: 4_000 });
  // The first chat after a start takes seconds; the tests below count on the usual speed.
  const { runId } = await chat.ok("send", "ann", { message: "say: warm", conversation: "warm" });
  await chat.all("ann", runId);
}, 120_000);

afterEach(() => chat.hold(false));

afterAll(async () => {
  await chat?.close();
  await gateway?.close();
});

/** Follows until the text has some words, then does `act`, then follows on to the end. */
async function during(message: string, conversation: string, act: () => Promise<void> | void): Promise<ChatEvent[]> {
  const { runId } = await chat.ok("send", "ann", { message, conversation });
  const events: ChatEvent[] = [];
  let acted = false;
  for await (const event of chat.follow("ann", runId)) {
    events.push(event);
    if (acted || event.type !== "text" || !shown(events).includes("word5")) continue;
    acted = true;
    await act();
  }
  return events;
}

function words(count: number): string {
  return Array.from({ length: count }, (_, index) => `word${index + 1}`).join(" ");
}

describe("a run", { timeout: 90_000 }, () => {
  test("outlives its connection to the gateway, with no text twice and none missing", async () => {
    const events = await during("slow: 40", "cut", () => chat.cut());
    expect(end(events)).toMatchObject({ status: "done" });
    expect(shown(events)).toBe(end(events).text);
    expect(end(events).text).toContain(words(40));
    expect(events.some((event) => event.type === "text" && event.replace)).toBe(false);
  });

  test("that ends while the gateway is out of reach is filled in from its history", async () => {
    const events = await during("slow: 20", "away", async () => {
      chat.hold(true);
      chat.cut();
      setTimeout(() => chat.hold(false), 3_500);
    });
    expect(end(events)).toMatchObject({ status: "done" });
    expect(shown(events).trim()).toBe(end(events).text);
    expect(end(events).text).toContain(words(20));
  });

  test("is taken up again by an object that lost its memory, woken by its alarm", async () => {
    const { runId } = await chat.ok("send", "ann", { message: "slow: 60", conversation: "evicted" });
    const before: ChatEvent[] = [];
    for await (const event of chat.follow("ann", runId)) {
      before.push(event);
      if (shown(before).includes("word5")) break;
    }
    await chat.evict();
    const connects = () => chat.log().filter((line) => line.includes('"chat.connect","outcome":"open"')).length;
    const connected = connects();
    for (let waited = 0; connects() === connected && waited < 5_000; waited += 100) await sleep(100);
    expect(connects()).toBe(connected + 1);
    const after = await chat.all("ann", runId, before.at(-1)?.cursor ?? 0);
    expect(end(after)).toMatchObject({ status: "done" });
    expect(shown([...before, ...after])).toBe(end(after).text);
    expect(end(after).text).toContain(words(60));
  });

  test("fails clearly when the gateway is killed, keeps what was said, and the next one works", async () => {
    const events = await during("slow: 100", "killed", () => gateway.kill());
    expect(end(events)).toMatchObject({
      status: "failed",
      error: { code: "unavailable", hint: expect.stringContaining("chat_send") },
    });
    expect(end(events).text).toContain(words(5));
    const next = await chat.ok("send", "ann", { message: "say: back again", conversation: "killed" });
    const answer = end(await chat.all("ann", next.runId));
    expect(answer).toMatchObject({ status: "done" });
    expect(answer.text).toContain("back again");
  });

  test("gets its answer when the gateway puts the message into a run that somebody else began", async () => {
    const other = await connectGateway(nodeAccess(gateway), {
      device: await createDevice(),
      scopes: CHAT_SCOPES,
      onEvent: () => {},
    });
    const first = await chat.ok("send", "ann", { message: "say: hello", conversation: "steered" });
    await chat.all("ann", first.runId);
    const session = await sessionKey("ann", "steered");
    await sendMessage(other, { session, message: "slow: 20", runId: crypto.randomUUID(), attachments: [] });
    await sleep(1_000);
    const { runId } = await chat.ok("send", "ann", { message: "say: mine", conversation: "steered" });
    const answer = end(await chat.all("ann", runId));
    other.close();
    expect(answer).toMatchObject({ status: "done" });
    expect(answer.text).toContain("mine");
    expect(answer.text).not.toContain("word1");
  });

  test("leaves the connection open for the next one, which closes when nothing is said for a while", async () => {
    const { runId } = await chat.ok("send", "ann", { message: "say: quick", conversation: "idle" });
    await chat.all("ann", runId);
    expect(chat.connections()).toBeGreaterThan(0);
    expect(await chat.ok("status")).toMatchObject({ connected: true });
    await sleep(6_000);
    expect(await chat.ok("status")).toMatchObject({ connected: false });
    expect(chat.connections()).toBe(0);
  });
});

describe("a run with tight limits", { timeout: 60_000 }, () => {
  test("is stopped at its deadline, here and in the gateway", async () => {
    const tight = await chatStack(gateway, { runMs: 10_000, watchMs: 500 });
    const { runId } = await tight.ok("send", "ann", { message: "slow: 400", conversation: "deadline" });
    const last = end(await tight.all("ann", runId));
    expect(last).toMatchObject({ status: "failed", error: { code: "timeout" } });
    expect(last.text).toContain("word1");
    const { runId: next } = await tight.ok("send", "ann", { message: "say: next", conversation: "deadline" });
    expect(end(await tight.all("ann", next)).text).toContain("next");
    await tight.close();
  });

  test("is forgotten some time after its end, the conversation is not", async () => {
    const tight = await chatStack(gateway, { watchMs: 500, keepMs: 1_000 });
    const { runId } = await tight.ok("send", "ann", { message: "say: old", conversation: "old" });
    await tight.all("ann", runId);
    await sleep(5_000);
    expect(await tight.followStatus("ann", runId)).toBe(400);
    expect(await tight.ok("runs", "ann")).toEqual([]);
    expect(await tight.ok("conversations", "ann")).toMatchObject([{ conversation: "old", messages: 2 }]);
    await tight.close();
  });

  test("fails with the reason when the gateway does not start", async () => {
    const dead = { port: 1, token: "none", ready: () => Promise.reject(new Error("no")) };
    const tight = await chatStack(dead, { retryMs: [0, 100] });
    const { runId } = await tight.ok("send", "ann", { message: "hi" });
    expect(end(await tight.all("ann", runId))).toMatchObject({
      status: "failed",
      error: { code: "unavailable", message: "The gateway does not start." },
    });
    expect(tight.readies()).toBe(2);
    await tight.close();
  });

  test("is refused when too many wait in its conversation", async () => {
    const tight = await chatStack(gateway, { queue: 1 });
    await tight.ok("send", "ann", { message: "slow: 10", conversation: "full" });
    await tight.ok("send", "ann", { message: "say: waits", conversation: "full" });
    expect(await tight.call("send", "ann", { message: "say: no", conversation: "full" })).toMatchObject({
      failure: { code: "limited", hint: expect.stringContaining("chat_cancel") },
    });
    await tight.close();
  });
});
