import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect, type Session, signIn } from "./client.ts";
import { modernClient } from "./modern-client.ts";

const bot = inject("bot");
const TASKS = { extensions: { "io.modelcontextprotocol/tasks": {} } };
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let session: Session;
let ask: ReturnType<typeof modernClient>;
beforeAll(async () => {
  const token = await signIn(bot);
  session = await connect(bot, token);
  ask = modernClient(bot, token);
});
afterAll(() => session.close());

/** Polls a task until it has ended. */
async function settled(taskId: string) {
  let task = await ask("tasks/get", { taskId }, { capabilities: TASKS });
  await expect
    .poll(
      async () => {
        task = await ask("tasks/get", { taskId }, { capabilities: TASKS });
        return task.result.status;
      },
      { timeout: 120_000, interval: 500 },
    )
    .not.toBe("working");
  return task.result;
}

/** The tools at an address. */
async function names(path: string, headers: Record<string, string> = {}): Promise<string[]> {
  const { result } = await ask("tools/list", {}, { path, headers });
  return result.tools.map(({ name }: { name: string }) => name);
}

describe("a client of 2026", () => {
  it("learns what the server is, and how to use it, in one request", async () => {
    const { result } = await ask("server/discover");
    expect(result.instructions.length).toBeLessThanOrEqual(1500);
    expect(result.capabilities).toMatchObject({ tools: {}, prompts: {}, resources: {}, completions: {}, ...TASKS });
    const info = result._meta["io.modelcontextprotocol/serverInfo"];
    expect(info).toMatchObject({ name: "moltbot", title: "Moltbot", websiteUrl: bot.url });
    const icon = await fetch(info.icons[0].src);
    expect(icon.headers.get("content-type")).toBe("image/svg+xml");
    expect(await icon.text()).toContain("<svg");
  });

  it.each(["tools/list", "prompts/list", "resources/list", "resources/templates/list"])(
    "may keep what %s answers for a while, for itself",
    async (method) => {
      const [{ result: first }, { result: second }] = [await ask(method), await ask(method)];
      expect(first).toEqual(second);
      expect(first.ttlMs).toBeGreaterThan(0);
      expect(first.cacheScope).toBe("private");
    },
  );

  it("cancels by closing the stream: the command dies", async () => {
    const gone = new AbortController();
    const command = "touch begun-modern; sleep 40; touch survived-modern";
    const call = ask(
      "tools/call",
      { name: "command_run", arguments: { command, timeout_seconds: 45 } },
      { signal: gone.signal },
    );
    const left = call.catch(() => "gone");
    const there = async () => (await session.call("command_run", { command: "ls begun-modern" })).data.exit_code;
    await expect.poll(there, { timeout: 60_000 }).toBe(0);
    gone.abort();
    expect(await left).toBe("gone");
    const running = async () =>
      (await session.call("command_run", { command: "pgrep -f '^sleep 40$'" })).data.exit_code;
    await expect.poll(running, { timeout: 60_000 }).toBe(1);
    expect((await session.call("command_run", { command: "ls survived-modern" })).data.exit_code).not.toBe(0);
  });
});

describe("a part of the tools", () => {
  it("is chosen by address or header", async () => {
    const files = ["file_read", "file_write", "file_list"];
    expect(await names("?toolsets=file")).toEqual(files);
    expect(await names("", { "x-mcp-toolsets": "file" })).toEqual(files);
    expect(await names("/readonly?toolsets=file")).toEqual(["file_read", "file_list"]);
    expect(await names("?toolsets=file", { "x-mcp-readonly": "true" })).toEqual(["file_read", "file_list"]);
  });

  it("is all there is at that address", async () => {
    const call = { name: "file_write", arguments: { path: "never", content: "" } };
    const { result } = await ask("tools/call", call, { path: "/readonly" });
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toContain("not offered at the address");
    const { result: discovered } = await ask("server/discover", {}, { path: "/readonly?toolsets=file" });
    expect(discovered.instructions).toContain("read-only");
    expect(discovered.instructions).not.toContain("chat_send");
  });

  it("has to be one there is", async () => {
    const { status, error } = await ask("tools/list", {}, { path: "?toolsets=chat,magic" });
    expect(status).toBe(400);
    expect(error?.message).toMatch(/The toolsets are: chat,.* bot\./);
  });

  it("is offered to clients of 2025 as well", async () => {
    const narrow = await connect(bot, session.token, "/readonly?toolsets=chat");
    const { tools } = await narrow.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["chat_wait", "chat_conversations", "chat_history"]);
    await narrow.close();
  });
});

describe("prompts", () => {
  it("are filled in, and suggest the conversations there are", async () => {
    await session.chat("say: hi", { conversation: "prompted-one" });
    const { messages } = await session.client.getPrompt({
      name: "hand_over",
      arguments: { job: "Count the files.", conversation: "prompted-one" },
    });
    expect(JSON.stringify(messages)).toContain("Count the files.");
    const { completion } = await session.client.complete({
      ref: { type: "ref/prompt", name: "hand_over" },
      argument: { name: "conversation", value: "prompted" },
    });
    expect(completion.values).toEqual(["prompted-one"]);
  });

  it("say what is missing", async () => {
    await expect(session.client.getPrompt({ name: "hand_over" })).rejects.toThrow("job is missing");
    await expect(session.client.getPrompt({ name: "no_such" })).rejects.toThrow("no prompt of that name");
  });
});

describe("resources", () => {
  it("hold the rest of a file that a result had no room for", async () => {
    const content = Array.from({ length: 9_000 }, (_, n) => `line ${n}\n`).join("");
    await session.call("file_write", { path: "big ü.txt", content });
    const { links, data } = await session.call("file_read", { path: "big ü.txt" });
    expect(data.truncated).toBe(true);
    let uri: unknown = links[0];
    let all = "";
    while (typeof uri === "string") {
      const { contents } = await session.client.readResource({ uri });
      const [part, note] = contents;
      if (part === undefined || !("text" in part)) throw new Error("no text");
      expect(part.text.length).toBeLessThanOrEqual(24_000);
      all += part.text;
      uri = part._meta?.["moltbot/next"];
      expect(note === undefined).toBe(uri === undefined);
    }
    expect(all).toBe(content);
  });

  it("give a picture whole, and bytes as they are", async () => {
    await session.call("file_write", { path: "/tmp/dot.png", content: PIXEL, encoding: "base64" });
    const { contents } = await session.client.readResource({ uri: "moltbot-file:///tmp/dot.png" });
    expect(contents).toEqual([{ uri: "moltbot-file:///tmp/dot.png", mimeType: "image/png", blob: PIXEL }]);
  });

  it("suggest paths", async () => {
    await session.call("file_write", { path: "suggested/one.txt", content: "1" });
    const { completion } = await session.client.complete({
      ref: { type: "ref/resource", uri: "moltbot-file:///{+path}{?offset,limit}" },
      argument: { name: "path", value: "workspace/suggested/o" },
    });
    expect(completion.values).toEqual(["workspace/suggested/one.txt"]);
  });

  it("hold a long answer, which comes in parts otherwise", async () => {
    const { data, links } = await session.chat("long: 9000", { conversation: "long-answer" });
    expect(data.text.length).toBeLessThanOrEqual(24_000);
    expect(data.truncated).toBe(true);
    let whole = data.text;
    for (let offset = data.next_offset; offset !== undefined;) {
      const { data: more } = await session.call("chat_wait", { run_id: data.run_id, offset });
      whole += more.text;
      offset = more.next_offset;
    }
    expect(whole.length).toBeGreaterThan(40_000);
    const { contents } = await session.client.readResource({ uri: links[0] ?? "" });
    expect(contents[0]).toMatchObject({ text: whole.slice(0, 20_000) });
  });

  it.each(["moltbot-file:///no/such", "moltbot-answer:///nobody", "file:///etc/passwd", "nonsense"])(
    "are not there: %s",
    async (uri) => {
      const { error } = await ask("resources/read", { uri });
      expect(error).toMatchObject({ code: -32_602, data: { uri } });
    },
  );
});

describe("tasks", () => {
  it("follow a chat that is not done soon", async () => {
    const call = { name: "chat_send", arguments: { message: "slow: 20", conversation: "task", wait_seconds: 0 } };
    const { result: created } = await ask("tools/call", call, { capabilities: TASKS });
    expect(created).toMatchObject({ resultType: "task", status: "working", pollIntervalMs: 2_000 });
    const done = await settled(created.taskId);
    expect(done).toMatchObject({ status: "completed", resultType: "complete" });
    expect(done.result.content[0].text).toContain("[stand-in model");
    // The run is the same for those who follow it otherwise.
    const { data } = await session.finish(created.taskId);
    expect(data.text).toBe(done.result.structuredContent.text);
  });

  it("are not made for who does not follow them", async () => {
    const call = { name: "chat_send", arguments: { message: "slow: 20", conversation: "no-task", wait_seconds: 0 } };
    const { result } = await ask("tools/call", call);
    expect(result).toMatchObject({ resultType: "complete", structuredContent: { status: "running" } });
    await session.call("chat_cancel", { run_id: result.structuredContent.run_id });
  });

  it("are cancelled", async () => {
    const call = { name: "chat_send", arguments: { message: "slow: 900", conversation: "task-off", wait_seconds: 0 } };
    const { result: created } = await ask("tools/call", call, { capabilities: TASKS });
    const { result: ack } = await ask("tasks/cancel", { taskId: created.taskId }, { capabilities: TASKS });
    expect(ack.resultType).toBe("complete");
    expect((await settled(created.taskId)).status).toBe("cancelled");
  });

  it("follow a command that takes longer than a call may", async () => {
    const call = { name: "command_run", arguments: { command: "sleep 2; echo out; exit 3", timeout_seconds: 300 } };
    const { result: created } = await ask("tools/call", call, { capabilities: TASKS });
    expect(created).toMatchObject({ resultType: "task", status: "working" });
    const { status, result } = await settled(created.taskId);
    expect(status).toBe("completed");
    expect(result).toMatchObject({ isError: true, structuredContent: { exit_code: 3, stdout: { text: "out\n" } } });
  });

  it("kill their command when they are cancelled", async () => {
    const call = { name: "command_run", arguments: { command: "sleep 777", timeout_seconds: 900 } };
    const { result: created } = await ask("tools/call", call, { capabilities: TASKS });
    await ask("tasks/cancel", { taskId: created.taskId }, { capabilities: TASKS });
    expect((await settled(created.taskId)).status).toBe("cancelled");
    const { data } = await session.call("command_run", { command: "pgrep -f '^sleep 777$'" });
    expect(data.exit_code).toBe(1);
  });

  it.each(["00000000-0000-4000-8000-000000000000", "c000000000000", "nonsense"])(
    "are not there: %s",
    async (taskId) => {
      const { error } = await ask("tasks/get", { taskId }, { capabilities: TASKS });
      expect(error?.code).toBe(-32_602);
    },
  );

  it("need the permission of their tool", async () => {
    const call = { name: "command_run", arguments: { command: "sleep 60", timeout_seconds: 60 } };
    const { result: created } = await ask("tools/call", call, { capabilities: TASKS });
    const chatOnly = modernClient(bot, await signIn(bot, ["chat"]));
    const { error } = await chatOnly("tasks/cancel", { taskId: created.taskId }, { capabilities: TASKS });
    expect(error?.code).toBe(-32_602);
    await ask("tasks/cancel", { taskId: created.taskId }, { capabilities: TASKS });
  });
});
