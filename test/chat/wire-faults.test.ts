import { afterEach, describe, expect, test } from "vitest";
import type { ChatLimits } from "../../src/chat/limits.ts";
import { helloOk, scriptedGateway } from "../gateway/scripted-gateway.ts";
import { type ChatStack, chatStack, end, shown } from "./stack.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

interface Asked {
  method: string;
  runId: string;
  session: string;
  /** How often the client has connected. */
  connects: number;
  answer: (payload: unknown) => void;
  refuse: (code: string, message: string) => void;
  chat: (state: string, about?: Record<string, unknown>) => void;
  raw: (text: string) => void;
  drop: () => void;
}

/** A chat over a gateway that answers by script, one call at a time. */
async function scripted(script: (asked: Asked) => void, limits: Partial<ChatLimits> = {}): Promise<ChatStack> {
  let connects = 0;
  let runId = "";
  let session = "";
  const gateway = await scriptedGateway(({ id, method, params }, { send, socket }) => {
    if (method === "connect") {
      connects += 1;
      send(helloOk(id));
      return;
    }
    const asked = Object(params);
    if (method === "chat.send") [runId, session] = [asked.idempotencyKey, asked.sessionKey];
    script({
      method,
      runId,
      session,
      connects,
      answer: (payload) => send({ type: "res", id, ok: true, payload }),
      refuse: (code, why) => send({ type: "res", id, ok: false, error: { code, message: why } }),
      chat: (state, about = {}) =>
        send({ type: "event", event: "chat", payload: { runId, sessionKey: session, seq: 1, state, ...about } }),
      raw: (text) => send(text),
      drop: () => socket.terminate(),
    });
  });
  const chat = await chatStack(gateway, { retryMs: [0, 50, 50], ...limits });
  open.push(chat, gateway);
  return chat;
}

function message(text: string) {
  return { message: { role: "assistant", content: [{ type: "text", text }] } };
}

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

  test("tells of an approval and passes the decision on", async () => {
    const decided: unknown[] = [];
    const chat = await scripted(({ method, runId, session, answer, raw, chat: say }) => {
      const event = (name: string, payload: unknown) => raw(JSON.stringify({ type: "event", event: name, payload }));
      if (method === "chat.send") {
        answer({ runId, status: "started" });
        event("exec.approval.requested", { id: "other", request: { command: "id", sessionKey: "agent:main:main" } });
        event("exec.approval.requested", {
          id: "a-1",
          request: { command: "rm x", sessionKey: session },
          expiresAtMs: 0,
        });
        return;
      }
      decided.push(method);
      answer({});
      event("exec.approval.resolved", { id: "a-1", decision: "deny" });
      say("final", message("As you like."));
    });
    const { runId } = await chat.ok("send", "ann", { message: "hi" });
    const events = [];
    for await (const event of chat.follow("ann", runId)) {
      events.push(event);
      if (event.type !== "approval" || event.phase !== "asked") continue;
      expect(await chat.call("approve", "bob", runId, event.id, "allow-once")).toMatchObject({
        failure: { code: "not_found" },
      });
      expect(await chat.call("approve", "ann", runId, "other", "deny")).toMatchObject({
        failure: { code: "not_found" },
      });
      await chat.ok("approve", "ann", runId, event.id, "deny");
    }
    expect(decided).toEqual(["exec.approval.resolve"]);
    expect(events.filter((event) => event.type === "approval")).toMatchObject([
      { id: "a-1", phase: "asked", title: "rm x", expires: "1970-01-01T00:00:00.000Z" },
      { id: "a-1", phase: "answered", decision: "deny" },
    ]);
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
});
