import { afterEach, describe, expect, test } from "vitest";
import { closeScripted, message, scripted } from "./scripted.ts";
import { type ChatStack, end, shown } from "./stack.ts";

afterEach(closeScripted);

async function run(chat: ChatStack) {
  const { runId } = await chat.ok("send", "ann", { message: "hi" });
  return await chat.all("ann", runId);
}

describe("a run over a bad wire", { timeout: 30_000 }, () => {
  test("is given up when the gateway never makes sense, with the gateway named as the reason", async () => {
    const chat = await scripted(({ method, runId, answer, raw }) => {
      if (method === "chat.send") answer({ runId, status: "started" });
      else answer({ messages: [], inFlightRun: { runId, text: "" } });
      raw('{"type":"event","event":"chat","payload":{"state":"nonsense"}}');
    });
    expect(end(await run(chat))).toMatchObject({ status: "failed", error: { code: "upstream" } });
  });

  test("survives one malformed frame", async () => {
    const chat = await scripted(({ method, runId, connects, answer, raw, chat: say }) => {
      if (method === "chat.send") {
        answer({ runId, status: "started" });
        say("delta", { deltaText: "one", ...message("one") });
        raw("{");
        return;
      }
      expect(connects).toBe(2);
      answer({ messages: [], inFlightRun: { runId, text: "one two" } });
      say("final", message("one two three"));
    });
    const events = await run(chat);
    expect(end(events)).toMatchObject({ status: "done", text: "one two three" });
    expect(shown(events)).toBe("one two three");
  });

  test("is not started twice when the acknowledgement is lost", async () => {
    const keys: string[] = [];
    const chat = await scripted(({ method, runId, answer, chat: say, drop }) => {
      if (method !== "chat.send") return;
      keys.push(runId);
      if (keys.length === 1) {
        drop();
        return;
      }
      answer({ runId, status: "in_flight" });
      say("final", message("once"));
    });
    expect(end(await run(chat))).toMatchObject({ status: "done", text: "once" });
    expect(new Set(keys).size).toBe(1);
    expect(keys.length).toBe(2);
  });

  test("shows what the bot took back as a replacement", async () => {
    const chat = await scripted(({ runId, answer, chat: say }) => {
      answer({ runId, status: "started" });
      say("delta", { deltaText: "I think", ...message("I think") });
      say("delta", { deltaText: "I know", replace: true, ...message("I know") });
      say("final", message("I know it"));
    });
    const events = await run(chat);
    expect(events.filter((event) => event.type === "text")).toMatchObject([
      { text: "I think" },
      { text: "I know", replace: true },
      { text: " it" },
    ]);
    expect(shown(events)).toBe("I know it");
  });

  test("goes on while the bot waits for others it set to work", async () => {
    const chat = await scripted(({ method, runId, session, answer, raw, chat: say }) => {
      if (method === "chat.send") {
        answer({ runId, status: "started" });
        say("final", { yielded: true });
        const payload = { runId: "another", sessionKey: session, seq: 1, state: "final", ...message("They are done.") };
        raw(JSON.stringify({ type: "event", event: "chat", payload }));
        return;
      }
      const asked = { role: "user", content: "hi", idempotencyKey: `${runId}:user` };
      const step = { ...message("I ask around.").message, openclawStreamFallback: {}, __openclaw: { runId } };
      const told = { ...message("They are done.").message, stopReason: "stop", __openclaw: { runId: "another" } };
      answer({ messages: [asked, step, told] });
    });
    expect(end(await run(chat))).toMatchObject({ status: "done", text: "They are done." });
  });

  test("fails at once when the gateway refuses the message, and says why", async () => {
    const chat = await scripted(({ refuse }) => refuse("INVALID_REQUEST", "attachment of an unknown kind"));
    expect(end(await run(chat))).toMatchObject({
      status: "failed",
      error: { code: "invalid_input", message: expect.stringContaining("attachment of an unknown kind") },
    });
  });

  test("carries the gateway's reason when the model fails", async () => {
    const chat = await scripted(({ runId, answer, chat: say }) => {
      answer({ runId, status: "started" });
      say("error", { errorKind: "rate_limit", errorMessage: "Slow down." });
    });
    expect(end(await run(chat))).toMatchObject({ status: "failed", error: { code: "limited", message: "Slow down." } });
  });

  test("that is cancelled before the gateway answers is stopped when it does", async () => {
    const methods: string[] = [];
    let acknowledge: (() => void) | undefined;
    const chat = await scripted(({ method, runId, answer }) => {
      methods.push(method);
      if (method === "chat.send") acknowledge = () => answer({ runId, status: "started" });
      else answer({ aborted: true });
    });
    const { runId } = await chat.ok("send", "ann", { message: "hi" });
    await expect.poll(() => methods).toEqual(["chat.send"]);
    expect(await chat.ok("cancel", "ann", runId)).toMatchObject({ status: "cancelled", already: false });
    acknowledge?.();
    await expect.poll(() => methods).toEqual(["chat.send", "chat.abort"]);
  });

  test("ends in time when all are ended, though the gateway does not confirm it, and makes no connection for it", async () => {
    const methods: string[] = [];
    const chat = await scripted(
      ({ method, runId, answer }) => {
        methods.push(method);
        if (method === "chat.send") answer({ runId, status: "started" });
      },
      { endWithinMs: 300, retryMs: [0, 20_000] },
    );
    const heard = await chat.ok("send", "ann", { message: "hi", conversation: "heard" });
    await expect.poll(() => methods).toEqual(["chat.send"]);
    const began = Date.now();
    await chat.ok("cancelAll");
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(methods).toEqual(["chat.send", "chat.abort"]);
    expect(end(await chat.all("ann", heard.runId))).toMatchObject({ status: "cancelled" });

    const cutOff = await chat.ok("send", "ann", { message: "hi", conversation: "cut-off" });
    await expect.poll(() => methods.length).toBe(3);
    chat.hold(true);
    chat.cut();
    await expect.poll(async () => (await chat.ok("status")).connected).toBe(false);
    await chat.ok("cancelAll");
    expect(end(await chat.all("ann", cutOff.runId))).toMatchObject({ status: "cancelled" });
    expect(methods).toHaveLength(3);
  });
});
