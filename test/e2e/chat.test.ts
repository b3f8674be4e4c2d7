import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect, type Session, signIn } from "./client.ts";

const bot = inject("bot");
let token: string;
let session: Session;

beforeAll(async () => {
  token = await signIn(bot);
  session = await connect(bot, token);
});
afterAll(() => session.close());

/** A 1 × 1 PNG. */
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const send = (message: string, more: Record<string, unknown> = {}) => session.chat(message, more);

/** A run that has begun to answer and is not done yet. */
async function begin(message: string, conversation: string) {
  const started = await session.call("chat_send", { message, conversation, wait_seconds: 1 });
  await session.speaks(started.data.run_id);
  return started;
}

describe("chat_send", () => {
  it("answers through the gateway, says that a stand-in answers, and shows the text as it grows", async () => {
    const seen: string[] = [];
    const answer = await session.chat(
      "slow: 12",
      { conversation: "stream" },
      { onProgress: (text) => seen.push(text) },
    );
    expect(answer.data.status).toBe("done");
    expect(answer.text).toContain("[stand-in model, not an AI]");
    expect(seen.length).toBeGreaterThan(2);
    expect(answer.data.text.startsWith(seen[0])).toBe(true);
    expect(seen.join("")).toBe(answer.data.text);
  });

  it("has the bot run a command and write its memory, and shows both steps", async () => {
    const seen: string[] = [];
    const word = crypto.randomUUID();
    const answer = await session.chat(
      `run: echo ${word} | tr a-z A-Z\nremember: the word is ${word}`,
      { conversation: "work" },
      { onProgress: (text) => seen.push(text) },
    );
    expect(answer.data.status).toBe("done");
    expect(answer.text).toContain(word.toUpperCase());
    expect(answer.data.tools.length).toBeGreaterThanOrEqual(2);
    expect(seen.filter((text) => text.startsWith("⚙ ")).join("\n")).toMatch(/exec[^]*write/);
    const memory = await session.call("file_read", { path: "MEMORY.md" });
    expect(memory.data.content).toContain(word);
  });

  it("answers with a run id at the deadline; chat_wait goes on without a gap", async () => {
    const first = await session.call("chat_send", {
      message: "slow: 40",
      conversation: "deadline",
      wait_seconds: 1,
    });
    expect(first.data).toMatchObject({ status: "running" });
    expect(first.text).toContain(`chat_wait {"run_id": "${first.data.run_id}"`);
    let all: string = first.data.partial;
    let { data } = first;
    while (data.status === "running") {
      ({ data } = await session.call("chat_wait", { run_id: data.run_id, cursor: data.cursor, wait_seconds: 1 }));
      all += data.partial ?? "";
    }
    expect(data.status).toBe("done");
    expect(data.text.startsWith(all)).toBe(true);
    expect(all.length).toBeGreaterThan(20);
  });

  it("goes on when its client is dropped", async () => {
    const dropped = await connect(bot, token);
    const began = Promise.withResolvers<void>();
    const running = dropped.call(
      "chat_send",
      { message: "slow: 25", conversation: "dropped" },
      { onProgress: () => began.resolve() },
    );
    running.catch(() => undefined);
    await began.promise;
    await dropped.close();
    const { data } = await session.call("chat_conversations");
    const conversation = data.conversations.find((each: { conversation: string }) => each.conversation === "dropped");
    expect(conversation.running).toEqual(expect.any(String));
    const answer = await session.finish(conversation.running);
    expect(answer.data.status).toBe("done");
    expect(answer.data.text.split(" ").length).toBeGreaterThan(25);
  });

  it("never answers the same idempotency key twice", async () => {
    const key = crypto.randomUUID();
    const [one, two] = await Promise.all([
      send("say: once", { conversation: "idem", idempotency_key: key }),
      send("say: once", { conversation: "idem", idempotency_key: key }),
    ]);
    const again = await send("say: once", { conversation: "idem", idempotency_key: key });
    expect(new Set([one, two, again].map(({ data }) => data.run_id)).size).toBe(1);
    expect(again.data.text).toBe(one.data.text);
    const { data } = await session.call("chat_history", { conversation: "idem" });
    expect(data.messages.filter(({ role }: { role: string }) => role === "user")).toHaveLength(1);
    const asked = await session.call("chat_wait", { run_id: one.data.run_id, wait_seconds: 0 });
    expect(asked.data).toMatchObject({ status: "done", text: one.data.text });
    const other = await send("say: something else", { conversation: "idem", idempotency_key: key });
    expect(other.isError).toBe(true);
  });

  it("takes a picture in and gives one back", async () => {
    const sent = await send("say: a picture came", {
      conversation: "pictures",
      attachments: [{ mime_type: "image/png", data: PIXEL, name: "pixel.png" }],
    });
    expect(sent.data.status).toBe("done");
    await session.call("file_write", { path: "pixel.png", content: PIXEL, encoding: "base64" });
    const shown = await send("picture: /workspace/pixel.png", { conversation: "pictures" });
    expect(shown.images, shown.text).toHaveLength(1);
    expect(shown.images[0]?.mimeType).toMatch(/^image\//);
  });

  it("keeps a conversation, which can be read again", async () => {
    await send("say: first", { conversation: "kept" });
    await send("say: second", { conversation: "kept" });
    const { data, text } = await session.call("chat_history", { conversation: "kept" });
    expect(data.messages.map(({ role }: { role: string }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(text).toMatch(/first[^]*second/);
  });
});

describe("chat_cancel", () => {
  it("stops a run and keeps what was said", async () => {
    const { data: started } = await begin("slow: 400", "cancel");
    const { data } = await session.call("chat_cancel", { run_id: started.run_id });
    expect(data.status).toBe("cancelled");
    const answer = await session.finish(started.run_id);
    expect(answer.data.status).toBe("cancelled");
    expect(answer.data.text.length).toBeGreaterThan(10);
    const { text } = await session.call("chat_cancel", { run_id: started.run_id });
    expect(text).toContain("It had ended before: cancelled.");
    expect((await send("say: next", { conversation: "cancel" })).data.status).toBe("done");
  });
});

describe("bad input", () => {
  it.each([
    ["chat_send", { message: "  " }, "message must not be empty"],
    ["chat_send", { message: "x".repeat(10_000_000) }, "write a file with file_write"],
    ["chat_send", { message: "hi", conversation: "../etc" }, "must be 1 to 64 of a-z"],
    ["chat_send", { message: "hi", wait_seconds: 300 }, "go on with chat_wait"],
    ["chat_send", { message: "hi", mood: "good" }, "unknown argument mood"],
    ["chat_send", { message: "hi", attachments: [{ mime_type: "image/png", data: "%%%" }] }, "must be base64"],
    ["chat_wait", { run_id: "nobodys-run" }, "chat_send"],
    ["chat_cancel", { run_id: crypto.randomUUID() }, "chat_send"],
    ["no_such_tool", {}, "tools/list"],
  ])("%s says what to do about a bad call", async (name, input, problem) => {
    const { text, isError } = await session.call(name, input);
    expect(isError).toBe(true);
    expect(text).toContain(problem);
    expect(text.length).toBeLessThan(350);
  });
});

describe("a gateway that is killed", () => {
  it("ends the run with a clear outcome, and the next chat works", async () => {
    const { data: started } = await begin("slow: 400", "killed");
    expect(started.status).toBe("running");
    await session.call("command_run", { command: "pkill -KILL -f [o]penclaw-gateway" });
    const answer = await session.finish(started.run_id);
    expect(answer.data.status).toBe("failed");
    expect(answer.data.error.code).toBe("unavailable");
    expect(answer.data.error.hint).toEqual(expect.any(String));
    expect(answer.data.text.length).toBeGreaterThan(10);
    const next = await send("say: back again", { conversation: "after-kill" });
    expect(next.data.status).toBe("done");
    expect(next.text).toContain("back again");
  });
});
