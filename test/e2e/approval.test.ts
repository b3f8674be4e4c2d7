import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { connect, connectAsked, type Session, signIn } from "./client.ts";

// A Moltbot of its own, for it is set up to ask.
const stateDir = mkdtempSync(join(tmpdir(), "moltbot-approval-"));
let stack: Awaited<ReturnType<typeof startStack>> | undefined;
let bot: { url: string; password: string };
let token: string;
let session: Session;
const more: Session[] = [];

beforeAll(async () => {
  stack = await startStack({ stateDir, variables: { EXEC_APPROVAL: "ask" } });
  await stack.warm();
  bot = { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() };
  token = await signIn(bot);
  session = await connect(bot, token);
});
afterAll(async () => {
  await session?.close();
  await stack?.close();
  rmSync(stateDir, { recursive: true, force: true });
});
afterEach(async () => {
  for (const opened of more.splice(0)) await opened.close();
});

/** Sends a message that makes the bot want to run a command, and follows it until it asks. */
async function asked(command: string, conversation: string, by = session) {
  let { data } = await by.call("chat_send", { message: `run: ${command}`, conversation });
  for (let turn = 0; turn < 20 && data.status === "running" && !data.waiting_for_approval; turn++) {
    ({ data } = await by.call("chat_wait", { run_id: data.run_id, cursor: data.cursor, wait_seconds: 20 }));
  }
  expect(data.waiting_for_approval, JSON.stringify(data)).toHaveLength(1);
  return { runId: String(data.run_id), cursor: Number(data.cursor), approval: data.waiting_for_approval[0] };
}

/** What is there in the bot's workspace, asked past the bot. */
async function exists(name: string): Promise<boolean> {
  const { data } = await session.call("command_run", { command: `test -e /workspace/${name}` });
  return data.exit_code === 0;
}

const approve = (id: string, decision: string, by = session) => by.call("chat_approve", { approval_id: id, decision });

describe("a Moltbot that asks before it runs a command", () => {
  it("waits with the command, and runs it once it is allowed", async () => {
    const { runId, cursor, approval } = await asked("touch allowed", "allow");
    expect(approval).toMatchObject({
      kind: "exec",
      command: "touch allowed",
      cwd: "/workspace",
      decisions: ["allow-once", "allow-always", "deny"],
    });
    expect(Date.parse(approval.expires_at)).toBeGreaterThan(Date.now());
    expect(await exists("allowed")).toBe(false);
    // Whoever looks again later, from wherever, is told that it waits.
    const { data, text } = await session.call("chat_wait", { run_id: runId, cursor, wait_seconds: 0 });
    expect(data.waiting_for_approval).toEqual([approval]);
    expect(text).toContain(`chat_approve {"approval_id": "${approval.approval_id}"`);

    expect((await approve(approval.approval_id, "allow-once")).data).toEqual({ run_id: runId, decision: "allow-once" });
    const done = await session.finish(runId, cursor);
    expect(done.data).toMatchObject({ status: "done" });
    expect(done.data.waiting_for_approval).toBeUndefined();
    expect(await exists("allowed")).toBe(true);

    const again = await approve(approval.approval_id, "allow-once");
    expect(again).toMatchObject({ isError: true, text: expect.stringContaining("chat_wait") });
  });

  it("tells the bot when it is refused, and what it would have done is not done", async () => {
    const { runId, cursor, approval } = await asked("touch refused", "deny");
    await approve(approval.approval_id, "deny");
    const { data } = await session.finish(runId, cursor);
    expect(data.status).toBe("done");
    expect(data.text).toMatch(/denied/i);
    expect(await exists("refused")).toBe(false);
  });

  it("does not ask again for what is always allowed", async () => {
    const { runId, cursor, approval } = await asked("touch always", "always");
    await approve(approval.approval_id, "allow-always");
    await session.finish(runId, cursor);
    expect((await session.chat("run: touch always", { conversation: "always" })).data).toMatchObject({
      status: "done",
      text: expect.not.stringMatching(/denied/i),
    });
  });

  it("keeps two conversations apart that wait at the same time", async () => {
    const [one, two] = await Promise.all([asked("touch one", "first"), asked("touch two", "second")]);
    expect(one.approval.command).toBe("touch one");
    await approve(two.approval.approval_id, "allow-once");
    await session.finish(two.runId, two.cursor);
    expect([await exists("one"), await exists("two")]).toEqual([false, true]);
    await approve(one.approval.approval_id, "deny");
    await session.finish(one.runId, one.cursor);
    expect(await exists("one")).toBe(false);
  });

  it("forgets what it asked when its run is cancelled, and takes no id that it did not give", async () => {
    const { runId, approval } = await asked("touch cancelled", "cancel");
    await session.call("chat_cancel", { run_id: runId });
    for (const id of [approval.approval_id, "00000000-0000-0000-0000-000000000000", "x"]) {
      expect(await approve(id, "allow-once")).toMatchObject({
        isError: true,
        text: expect.stringContaining("No command of that approval_id waits for you."),
      });
    }
    expect(await exists("cancelled")).toBe(false);
  });

  it("is not answered by a client that may not run commands", async () => {
    const chatter = await connect(bot, await signIn(bot, ["chat"]));
    more.push(chatter);
    const { runId, cursor, approval } = await asked("touch by-chatter", "chatter", chatter);
    const { text } = await chatter.call("chat_wait", { run_id: runId, cursor, wait_seconds: 0 });
    expect(text).toContain("This client has no permission to answer");
    await expect(approve(approval.approval_id, "allow-once", chatter)).rejects.toThrow();
    await approve(approval.approval_id, "deny");
    await session.finish(runId, cursor);
    expect(await exists("by-chatter")).toBe(false);
  });

  it("asks the person directly where the client can, and goes on in the same call", async () => {
    const questions: string[] = [];
    const person = await connectAsked(bot, token, (message) => {
      questions.push(message);
      if (message.includes("touch declined")) return { action: "decline" };
      return message.includes("touch closed")
        ? { action: "cancel" }
        : { action: "accept", content: { decision: "allow-once" } };
    });
    more.push(person);

    await person.chat("run: touch accepted\nrun: touch declined", { conversation: "direct" });
    expect(questions).toEqual([expect.stringContaining("touch accepted"), expect.stringContaining("touch declined")]);
    expect([await exists("accepted"), await exists("declined")]).toEqual([true, false]);

    const { data } = await person.call("chat_send", { message: "run: touch closed", conversation: "direct" });
    expect(data).toMatchObject({ status: "running", waiting_for_approval: [{ command: "touch closed" }] });
    expect(questions).toHaveLength(3);
    await approve(data.waiting_for_approval[0].approval_id, "deny");
    await session.finish(data.run_id, data.cursor);
  });
});
