import { afterEach, describe, expect, test } from "vitest";
import type { ChatLimits } from "../../src/chat/limits.ts";
import { type Asked, closeScripted, message, scripted } from "./scripted.ts";
import { type ChatStack, end } from "./stack.ts";

afterEach(closeScripted);

const LATER = () => Date.now() + 600_000;

/** What the gateway would have a person allow. */
function request(id: string, session: string, more: { expiresAtMs?: number; request?: Record<string, unknown> } = {}) {
  return {
    id,
    expiresAtMs: more.expiresAtMs ?? LATER(),
    request: { command: `rm ${id}`, cwd: "/workspace", sessionKey: session, ...more.request },
  };
}

/** A gateway that asks as told when it gets a message, and answers it once all is decided. */
async function asking(
  asks: (asked: Asked) => unknown[],
  limits: Partial<ChatLimits> = {},
  onOther: (asked: Asked) => boolean = () => false,
) {
  const decided: string[] = [];
  let open = 0;
  const chat = await scripted((asked) => {
    const { method, params, runId, answer, chat: say } = asked;
    const event = (name: string, payload: unknown) =>
      asked.raw(JSON.stringify({ type: "event", event: name, payload }));
    if (method === "chat.send") {
      answer({ runId, status: "started" });
      for (const payload of asks(asked)) {
        open += 1;
        event("exec.approval.requested", payload);
      }
      return;
    }
    if (onOther(asked)) return;
    if (method !== "exec.approval.resolve") {
      answer(method === "chat.abort" ? { aborted: true } : []);
      return;
    }
    decided.push(`${String(params["id"])} ${String(params["decision"])}`);
    event("exec.approval.resolved", { id: params["id"], decision: params["decision"] });
    answer({ ok: true });
    open -= 1;
    if (open === 0) say("final", message("As you like."));
  }, limits);
  return { chat, decided };
}

async function sent(chat: ChatStack) {
  const { runId } = await chat.ok("send", "ann", { message: "hi" });
  return runId;
}

async function waitingIn(chat: ChatStack, runId: string, count = 1) {
  const waiting = () => chat.ok("approvals", "ann", runId);
  await expect.poll(async () => (await waiting()).length, { timeout: 30_000 }).toBe(count);
  return await waiting();
}

describe("a command that a person has to allow", { timeout: 60_000 }, () => {
  test("is shown with all that is known of it, and its decision passed on", async () => {
    const { chat, decided } = await asking(({ session }) => [
      request("elsewhere", "agent:main:main"),
      request("a-1", session, {
        request: {
          commandAnalysis: { warningLines: ["Contains inline-eval: python3 -c"] },
          allowedDecisions: ["allow-once", "deny"],
        },
      }),
    ]);
    const runId = await sent(chat);
    const [asked] = await waitingIn(chat, runId);
    expect(asked).toMatchObject({
      id: "a-1",
      of: "exec",
      title: "rm a-1",
      cwd: "/workspace",
      warnings: ["Contains inline-eval: python3 -c"],
      decisions: ["allow-once", "deny"],
    });
    expect(await chat.call("approve", "ann", "a-1", "allow-always")).toMatchObject({
      failure: { code: "invalid_input", hint: "Answer with one of: allow-once, deny." },
    });
    expect(await chat.ok("approve", "ann", "a-1", "deny")).toEqual({ runId });
    expect(decided).toEqual(["a-1 deny"]);
    expect(await chat.ok("approvals", "ann", runId)).toEqual([]);
  });

  test("is answered by nobody else, and an id of another conversation is like one that never was", async () => {
    const { chat, decided } = await asking(({ session }) => [
      request("elsewhere", "agent:main:main"),
      request("a-1", session),
    ]);
    const runId = await sent(chat);
    await waitingIn(chat, runId);
    const never = await chat.call("approve", "ann", "never", "deny");
    expect(never).toMatchObject({ failure: { code: "not_found" } });
    expect(await chat.call("approve", "bob", "a-1", "allow-once")).toEqual(never);
    expect(await chat.call("approve", "ann", "elsewhere", "allow-once")).toEqual(never);
    expect(await chat.call("approvals", "bob", runId)).toMatchObject({ failure: { code: "not_found" } });
    expect(decided).toEqual([]);
  });

  test("takes the same answer twice and no other one after it", async () => {
    const { chat, decided } = await asking(({ session }) => [request("a-1", session), request("a-2", session)]);
    const runId = await sent(chat);
    await waitingIn(chat, runId, 2);
    await chat.ok("approve", "ann", "a-1", "allow-once");
    await chat.ok("approve", "ann", "a-1", "allow-once");
    expect(await chat.call("approve", "ann", "a-1", "deny")).toMatchObject({
      failure: { code: "conflict", message: "It was answered before: allow-once." },
    });
    expect((await waitingIn(chat, runId)).map(({ id }) => id)).toEqual(["a-2"]);
    await chat.ok("approve", "ann", "a-2", "deny");
    expect(decided).toEqual(["a-1 allow-once", "a-2 deny"]);
    const events = await chat.all("ann", runId);
    expect(end(events)).toMatchObject({ status: "done", text: "As you like." });
    expect(await chat.call("approve", "ann", "a-2", "deny")).toMatchObject({ failure: { code: "not_found" } });
  });

  test("that has expired is said so, whoever notices first", async () => {
    const { chat, decided } = await asking(({ session, raw }) => {
      setTimeout(() => {
        const payload = { id: "told", decision: "deny" };
        raw(JSON.stringify({ type: "event", event: "exec.approval.resolved", payload }));
      }, 1_500);
      return [
        request("told", session, { expiresAtMs: Date.now() + 1_000 }),
        request("silent", session, { expiresAtMs: Date.now() - 1 }),
      ];
    });
    const runId = await sent(chat);
    const followed = chat.follow("ann", runId);
    for await (const event of followed) if (event.type === "approval" && event.phase === "answered") break;
    for (const id of ["told", "silent"]) {
      expect(await chat.call("approve", "ann", id, "allow-once")).toMatchObject({
        failure: { code: "conflict", message: "It expired before it was answered." },
      });
    }
    expect(await chat.ok("approvals", "ann", runId)).toEqual([]);
    expect(decided).toEqual([]);
  });

  test("that the gateway has forgotten is said so", async () => {
    const { chat } = await asking(
      ({ session }) => [request("a-1", session)],
      {},
      ({ method, refuse }) => {
        if (method !== "exec.approval.resolve") return false;
        refuse("INVALID_REQUEST", "unknown or expired approval id", { reason: "APPROVAL_NOT_FOUND" });
        return true;
      },
    );
    const runId = await sent(chat);
    await waitingIn(chat, runId);
    expect(await chat.call("approve", "ann", "a-1", "allow-once")).toMatchObject({
      failure: { code: "conflict", message: "It does not wait for an answer any more." },
    });
  });

  test("is known again after the connection or the object was lost", async () => {
    const waiting = [] as unknown[];
    const { chat, decided } = await asking(
      ({ session }) => {
        // Asked while nobody listens, and answered while nobody listens.
        waiting.push(request("a-1", session), request("a-2", session));
        return [request("a-1", session), request("a-0", session)];
      },
      {},
      ({ method, answer, runId }) => {
        if (method === "exec.approval.list") answer(waiting);
        else if (method === "chat.history") answer({ messages: [], inFlightRun: { runId, text: "" } });
        else return false;
        return true;
      },
    );
    const runId = await sent(chat);
    await waitingIn(chat, runId, 2);
    for (const lose of [async () => chat.cut(), () => chat.evict()]) {
      await lose();
      await expect
        .poll(async () => (await chat.ok("approvals", "ann", runId)).map(({ id }) => id), { timeout: 30_000 })
        .toEqual(["a-1", "a-2"]);
    }
    expect(await chat.call("approve", "ann", "a-0", "allow-once")).toMatchObject({ failure: { code: "conflict" } });
    await chat.ok("approve", "ann", "a-1", "allow-once");
    await chat.ok("approve", "ann", "a-2", "deny");
    expect(decided).toEqual(["a-1 allow-once", "a-2 deny"]);
    expect(end(await chat.all("ann", runId))).toMatchObject({ status: "done" });
  });

  test("does not use up the time of its run", async () => {
    const { chat } = await asking(({ session }) => [request("a-1", session)], { runMs: 500, watchMs: 100 });
    const runId = await sent(chat);
    await waitingIn(chat, runId);
    // Several watches after the run's time would have been over.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await chat.ok("approve", "ann", "a-1", "allow-once");
    expect(end(await chat.all("ann", runId))).toMatchObject({ status: "done" });
  });
});
