import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { liveGateway, type LiveGateway, sleep } from "../gateway/live-gateway.ts";
import { type ChatStack, chatStack, end, shown } from "./stack.ts";

let gateway: LiveGateway;
let chat: ChatStack;

beforeAll(async () => {
  gateway = await liveGateway();
  await gateway.ready();
  chat = await chatStack(gateway);
}, 120_000);

afterAll(async () => {
  await chat?.close();
  await gateway?.close();
});

describe("a chat with the real gateway", { timeout: 60_000 }, () => {
  test("streams the answer and ends with all of it", async () => {
    const { runId, conversation, cursor } = await chat.ok("send", "ann", { message: "slow: 12" });
    expect(conversation).toBe("main");
    const events = await chat.all("ann", runId, cursor);
    expect(events.filter((event) => event.type === "text").length).toBeGreaterThan(3);
    expect(end(events)).toMatchObject({ status: "done", text: shown(events) });
    expect(shown(events)).toContain("word1 word2 word3");
    expect(shown(events)).toContain("word12");
  });

  test("goes on exactly at any cursor, however the text was cut", async () => {
    const { runId } = await chat.ok("send", "ann", { message: "slow: 8", conversation: "cursors" });
    const live = await chat.all("ann", runId);
    const whole = shown(live);
    for (const event of live) {
      if (event.type !== "text") continue;
      const rest = await chat.all("ann", runId, event.cursor);
      expect(whole).toBe(shown(live.filter((seen) => seen.cursor <= event.cursor)) + shown(rest));
    }
    const { cursor } = end(live);
    expect(await chat.all("ann", runId, cursor)).toEqual([end(live)]);
    expect(await chat.all("ann", runId, cursor + 1000)).toEqual([end(live)]);
  });

  test("has many followers, and one that leaves stops nothing", async () => {
    const { runId } = await chat.ok("send", "ann", { message: "slow: 15", conversation: "followers" });
    const leaver = new AbortController();
    const left = (async () => {
      for await (const event of chat.follow("ann", runId, 0, leaver.signal)) if (event.type === "text") break;
      leaver.abort();
    })();
    const [first, second] = await Promise.all([chat.all("ann", runId), chat.all("ann", runId), left]);
    expect(shown(first)).toBe(shown(second));
    expect(end(first)).toMatchObject({ status: "done" });
  });

  test("makes one run of one idempotencyKey and refuses another message under it", async () => {
    const message = { message: "say: once", conversation: "once", idempotencyKey: "k-1" };
    const [one, two] = await Promise.all([chat.ok("send", "ann", message), chat.ok("send", "ann", message)]);
    expect(two.runId).toBe(one.runId);
    await chat.all("ann", one.runId);
    expect((await chat.ok("send", "ann", message)).runId).toBe(one.runId);
    const other = await chat.call("send", "ann", { ...message, message: "say: twice" });
    expect(other).toMatchObject({ ok: false, failure: { code: "conflict" } });
    expect((await chat.ok("send", "bob", message)).runId).not.toBe(one.runId);
    const { messages } = await chat.ok("history", "ann", "once", { limit: 10 });
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
  });

  test("answers two messages of one conversation one after the other, each with its own answer", async () => {
    const first = await chat.ok("send", "ann", { message: "slow: 10\nsay: first", conversation: "queue" });
    const second = await chat.ok("send", "ann", { message: "say: second", conversation: "queue" });
    expect(await chat.ok("conversations", "ann")).toContainEqual(
      expect.objectContaining({ conversation: "queue", running: first.runId, queued: 1 }),
    );
    const [a, b] = await Promise.all([chat.all("ann", first.runId), chat.all("ann", second.runId)]);
    expect(shown(a)).toContain("first");
    expect(shown(a)).not.toContain("second");
    expect(shown(b)).toContain("second");
    expect(shown(b)).not.toContain("first");
  });

  test("cancels a run and keeps what was said", async () => {
    const { runId } = await chat.ok("send", "ann", { message: "slow: 100", conversation: "cancel" });
    for await (const event of chat.follow("ann", runId)) if (event.type === "text" && event.cursor > 60) break;
    const stopped = await chat.ok("cancel", "ann", runId);
    expect(stopped).toMatchObject({ status: "cancelled", already: false });
    expect(stopped.text).toContain("word1 word2");
    expect(end(await chat.all("ann", runId))).toMatchObject({ status: "cancelled", text: stopped.text });
    expect(await chat.ok("cancel", "ann", runId)).toMatchObject({ status: "cancelled", already: true });
  });

  test("cancels a message that waits, without disturbing the one being answered", async () => {
    const first = await chat.ok("send", "ann", { message: "slow: 10", conversation: "cancel-queued" });
    const second = await chat.ok("send", "ann", { message: "say: never", conversation: "cancel-queued" });
    expect(await chat.ok("cancel", "ann", second.runId)).toMatchObject({
      status: "cancelled",
      already: false,
      text: "",
    });
    expect(end(await chat.all("ann", second.runId))).toMatchObject({ status: "cancelled" });
    expect(end(await chat.all("ann", first.runId))).toMatchObject({ status: "done" });
  });

  test("says the same of another's run as of one that never was", async () => {
    const { runId } = await chat.ok("send", "ann", { message: "say: mine", conversation: "mine" });
    await chat.all("ann", runId);
    const others = await chat.call("cancel", "bob", runId);
    const nobodys = await chat.call("cancel", "bob", crypto.randomUUID());
    expect(others).toEqual(nobodys);
    expect(others).toMatchObject({
      ok: false,
      failure: { code: "not_found", hint: expect.stringContaining("chat_send") },
    });
    expect(await chat.followStatus("bob", runId)).toBe(400);
    expect(await chat.call("history", "bob", "mine", { limit: 5 })).toMatchObject({ ok: false });
    expect(await chat.ok("runs", "bob")).not.toContainEqual(expect.objectContaining({ runId }));
  });

  test("keeps two people's conversations of one name apart", async () => {
    const ann = await chat.ok("send", "ann", { message: "say: for ann", conversation: "shared" });
    const bob = await chat.ok("send", "bob", { message: "say: for bob", conversation: "shared" });
    await Promise.all([chat.all("ann", ann.runId), chat.all("bob", bob.runId)]);
    const { messages } = await chat.ok("history", "bob", "shared", { limit: 10 });
    expect(JSON.stringify(messages)).toContain("for bob");
    expect(JSON.stringify(messages)).not.toContain("for ann");
  });

  test("sends the bot's pictures as bytes, and a note for one that is too large", async () => {
    const { writeFileSync } = await import("node:fs");
    const png = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      "base64",
    );
    writeFileSync(`${gateway.workspace}/dot.png`, png);
    // Bytes after the end of a PNG are allowed; they make it large.
    writeFileSync(`${gateway.workspace}/large.png`, Buffer.concat([png, Buffer.alloc(1_200_000)]));
    const { runId } = await chat.ok("send", "ann", {
      message: "picture: dot.png\npicture: large.png",
      conversation: "pictures",
    });
    const events = await chat.all("ann", runId);
    const image = events.find((event) => event.type === "image");
    expect(image).toMatchObject({ mimeType: "image/png", name: "dot.png" });
    if (image?.type === "image") expect(Buffer.from(image.data, "base64").subarray(1, 4).toString()).toBe("PNG");
    expect(events).toContainEqual(
      expect.objectContaining({ type: "note", text: expect.stringContaining("large.png") }),
    );
    expect(shown(events)).not.toContain("MEDIA:");
    const { messages } = await chat.ok("history", "ann", "pictures", { limit: 5 });
    expect(messages.at(-1)?.images[0]).toMatchObject({ mimeType: "image/png", name: "dot.png" });
  });

  test("passes pictures on to the model", async () => {
    const data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const { runId } = await chat.ok("send", "ann", {
      message: "what is this",
      conversation: "attached",
      attachments: [{ mimeType: "image/png", data, name: "dot.png" }],
    });
    expect(end(await chat.all("ann", runId)).text).toContain("1 image");
  });

  test("pages through a history without a gap or a repetition while it grows", async () => {
    for (const text of ["one", "two", "three", "four"]) {
      const { runId } = await chat.ok("send", "ann", { message: `say: ${text}`, conversation: "pages" });
      await chat.all("ann", runId);
    }
    const newest = await chat.ok("history", "ann", "pages", { limit: 3 });
    const { runId } = await chat.ok("send", "ann", { message: "say: five", conversation: "pages" });
    await chat.all("ann", runId);
    const seen = [...newest.messages];
    for (let before = newest.before; before !== undefined;) {
      const page = await chat.ok("history", "ann", "pages", { limit: 3, before });
      seen.unshift(...page.messages);
      before = page.before;
    }
    const texts = seen.filter(({ role }) => role === "user").map(({ text }) => text.replace(/^.*say: /, ""));
    expect(texts).toEqual(["one", "two", "three", "four"]);
    expect(await chat.call("history", "ann", "pages", { limit: 3, before: "x" })).toMatchObject({
      failure: { code: "invalid_input" },
    });
  });

  test("tells of conversations without waking the gateway", async () => {
    const rows = await chat.ok("conversations", "ann");
    expect(rows.find(({ conversation }) => conversation === "pages")).toMatchObject({
      title: "say: one",
      messages: 10,
      queued: 0,
    });
  });

  test("takes commands of the gateway as messages too", async () => {
    for (const [message, answer] of [
      ["/status", "OpenClaw"],
      ["/stop", "chat_cancel"],
    ] as const) {
      const { runId } = await chat.ok("send", "ann", { message, conversation: "commands" });
      expect(end(await chat.all("ann", runId))).toMatchObject({
        status: "done",
        text: expect.stringContaining(answer),
      });
    }
  });

  test("cuts an answer that is too long to keep, and says so", async () => {
    // 419,000 characters. Past 500,000 the gateway itself drops the beginning, at a moment that depends on the load.
    const { runId } = await chat.ok("send", "ann", { message: "long: 43000", conversation: "long" });
    const events = await chat.all("ann", runId);
    expect(end(events).text.length).toBe(400_000);
    expect(end(events).text).toBe(shown(events));
    expect(end(events).text.slice(0, 200)).toContain("word1 word2 word3");
    expect(events).toContainEqual(expect.objectContaining({ type: "note", text: expect.stringContaining("400000") }));
  });

  test("refuses what is not a message", async () => {
    for (const wrong of [
      { message: " " },
      { message: "hi", conversation: "No Spaces" },
      { message: "hi", conversation: "../x" },
    ]) {
      expect(await chat.call("send", "ann", wrong)).toMatchObject({ ok: false, failure: { code: "invalid_input" } });
    }
  });

  test("uses one connection for all of it", async () => {
    expect(chat.connections()).toBeLessThanOrEqual(2);
    expect(await chat.ok("status")).toMatchObject({
      connected: true,
      gatewayVersion: "2026.9.6",
      running: 0,
      queued: 0,
    });
    await sleep(0);
  });
});
