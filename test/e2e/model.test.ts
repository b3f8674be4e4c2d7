import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startModelStandIn, type ModelStandIn } from "../../local/model/standin.ts";
import { startStack, type Stack } from "../../local/stack.ts";
import { type Behaviour, startProvider, type TestProvider } from "../model/provider.ts";
import { connect, type Session, signIn } from "./client.ts";

const stateDir = mkdtempSync(join(tmpdir(), "moltbot-model-"));
let first: TestProvider;
let second: TestProvider;
let standIn: ModelStandIn;
let stack: Stack;
let session: Session;

const FIRST = "anthropic/claude-test-one";
const SECOND = "ai-gateway/anthropic/claude-test-two";

/** In every secret of the Worker, and nowhere else. */
const CANARY = "kanarienvogel7f3a9c";

/** A Moltbot with two providers, and with all the secrets there are. */
async function start(more: Record<string, string> = {}): Promise<void> {
  stack = await startStack({
    stateDir,
    variables: {
      MODEL: "claude-test-one",
      MODEL_FALLBACKS: SECOND,
      MODEL_PRICES: "claude-test-one=1000/2000,claude-test-two=1/2",
      ANTHROPIC_API_KEY: `sk-ant-${CANARY}-anthropic`,
      ANTHROPIC_BASE_URL: first.url,
      AI_GATEWAY_URL: second.url,
      AI_GATEWAY_TOKEN: `aig-${CANARY}-token`,
      OPENAI_API_KEY: `sk-${CANARY}-openai`,
      COMPATIBLE_API_KEY: `sk-${CANARY}-compatible`,
      TELEGRAM_BOT_TOKEN: `1234:${CANARY}-telegram`,
      TELEGRAM_API_URL: `${second.url}/telegram`,
      ...more,
    },
  });
  const bot = { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() };
  session = await connect(bot, await signIn(bot));
}

async function stop(): Promise<void> {
  await session.close();
  await stack.close();
}

/** The model calls that a provider was asked for; the second is asked for Telegram's sake too. */
function calls(provider: TestProvider): number {
  return provider.asked.filter(({ url }) => url.endsWith("/messages")).length;
}

const answering = async () => (await session.chat("well?")).data.model;

/** An answer makes the bridge forget the failure before. */
async function healthy(): Promise<void> {
  await expect.poll(answering, { timeout: 90_000, interval: 1_000 }).toBe(FIRST);
}

beforeAll(async () => {
  [first, second, standIn] = await Promise.all([startProvider(), startProvider(), startModelStandIn({ log() {} })]);
  await start();
  await session.chat("warm up");
});
afterAll(async () => {
  await stop();
  await Promise.all([first.close(), second.close(), standIn.close()]);
  rmSync(stateDir, { recursive: true, force: true });
});
beforeEach(() => {
  first.behave({ kind: "answer", text: "from the first" });
  second.behave({ kind: "answer", text: "from the second" });
});

const FAILURES: [string, Behaviour][] = [
  ["429", { kind: "status", status: 429, headers: { "retry-after": "1" } }],
  ["500", { kind: "status", status: 500 }],
  ["529", { kind: "status", status: 529 }],
  ["silence", { kind: "hang" }],
  ["a reset connection", { kind: "reset" }],
  ["garbage", { kind: "garbage" }],
  ["an error in its stream", { kind: "error-event" }],
];

describe("a provider that fails", () => {
  it.each(FAILURES)("with %s: the second one answers, after one call of each", async (_name, behaviour) => {
    await healthy();
    const before = [calls(first), calls(second)];
    first.behave(behaviour);
    const { data } = await session.chat("hello", { conversation: "failover" });
    expect(data).toMatchObject({ status: "done", text: "from the second", model: SECOND });
    expect([calls(first), calls(second)]).toEqual(before.map((count) => count + 1));
  });

  it("is told as such when it breaks off after the first words, and nobody is asked again", async () => {
    await healthy();
    const before = [calls(first), calls(second)];
    first.behave({ kind: "drop", text: "the beginning of" });
    const { data } = await session.chat("hello", { conversation: "broken" });
    expect(data.status).toBe("failed");
    expect([calls(first), calls(second)]).toEqual([(before[0] ?? 0) + 1, before[1]]);
  });

  it("with all the others: one clear error that names them, and no storm of calls", async () => {
    const before = [calls(first), calls(second)];
    first.behave({ kind: "status", status: 500 });
    second.behave({ kind: "reset" });
    const { data } = await session.chat("hello", { conversation: "down" });
    expect(data.status).toBe("failed");
    expect(data.error.message).toBe(`No model answers now: ${FIRST} failed (500); ${SECOND} could not be reached.`);
    // Whose trouble may pass is asked once more.
    expect(calls(first) - (before[0] ?? 0)).toBeLessThanOrEqual(2);
    expect(calls(second) - (before[1] ?? 0)).toBeLessThanOrEqual(2);
    first.behave({ kind: "answer", text: "again" });
    expect((await session.chat("hello", { conversation: "down" })).data.text).toBe("again");
  });
});

describe("what models cost", () => {
  it("is counted by model and conversation in bot_status", async () => {
    await session.chat("count this", { conversation: "counted" });
    const counted = async () => {
      const { usage_today: today } = (await session.call("bot_status")).data;
      return today.conversations.find((each: { conversation: string }) => each.conversation === "counted");
    };
    await expect.poll(async () => (await counted())?.calls ?? 0, { timeout: 30_000 }).toBeGreaterThan(0);
    const { calls: made, input_tokens, output_tokens } = await counted();
    expect([input_tokens, output_tokens]).toEqual([made * 100, made * 7]);
    const { data } = await session.call("bot_status");
    expect(data).toMatchObject({ model: FIRST, fallbacks: [SECOND] });
    expect(data.usage_today.models.map(({ model }: { model: string }) => model)).toEqual(
      expect.arrayContaining([FIRST, SECOND, "none"]),
    );
    expect(data.usage_today.usd).toBeGreaterThan(0);
  });
});

describe("secrets", () => {
  it("are nowhere in the container, in its logs or in what clients see, while everything works", async () => {
    const shown: string[] = [];
    const say = async (message: string, conversation: string) => {
      const answer = await session.chat(message, { conversation });
      shown.push(JSON.stringify(answer));
      return answer;
    };
    // Each way in which a provider may give away what it was sent.
    first.behave({ kind: "echo" });
    expect((await say("echo", "canary")).data.text).toContain("[redacted]");
    for (const status of [400, 500]) {
      first.behave({ kind: "status", status });
      second.behave({ kind: "echo" });
      await say("echo", `canary-${status}`);
    }
    first.behave({ kind: "forward", to: standIn.url });
    second.behave({ kind: "forward", to: standIn.url });

    // The bot itself searches. It must not find its own search, so the word is told backwards and read from a pipe.
    const backwards = CANARY.split("").toReversed().join("");
    const search = `rev <<< ${backwards} > /tmp/planted; rev <<< ${backwards} | grep -rlaF -f - /proc/[0-9]*/environ /proc/[0-9]*/cmdline /workspace /home /tmp /etc /run /var 2>/dev/null; echo searched`;
    const { data } = await say(`run: ${search}`, "canary-search");
    expect(data.status).toBe("done");
    expect(data.text).toMatch(/\n\/tmp\/planted\nsearched\n/);
    expect(data.text.match(/^\/.*$/gm)).toEqual(["/tmp/planted"]);

    shown.push(JSON.stringify(await session.call("bot_status")));
    await session.call("command_run", { command: "rm /tmp/planted" });
    expect(shown.join("\n")).not.toContain(CANARY);
    // The logs, the journal, the chats, the count: all that is written on this machine.
    expect(readdirSync(stateDir)).toContain("worker");
    const found = () => execFileSync("grep", ["-rlaF", CANARY, stateDir]).toString();
    expect(found).toThrow(/Command failed/);
    // And yet they were used.
    expect(first.asked.at(-1)?.headers["x-api-key"]).toContain(CANARY);
    expect(second.asked.some(({ url }) => url.startsWith(`/telegram/bot1234:${CANARY}-telegram/`))).toBe(true);
  });
});

// After the others, for whose key is wrong is left alone for a while.
describe("a provider that does not accept the key", () => {
  it("is not asked again soon; the second one answers", async () => {
    await healthy();
    const before = [calls(first), calls(second)];
    first.behave({ kind: "status", status: 401 });
    for (const conversation of ["locked", "locked-too"]) {
      const { data } = await session.chat("hello", { conversation });
      expect(data).toMatchObject({ status: "done", text: "from the second", model: SECOND });
    }
    expect([calls(first), calls(second)]).toEqual([(before[0] ?? 0) + 1, (before[1] ?? 0) + 2]);
  });
});

describe("the settings", () => {
  it("have another model answer the next message of the same conversation, and cap what a day may cost", async () => {
    await session.chat("the word is rhubarb", { conversation: "moved" });
    const { input_tokens, output_tokens } = (await session.call("bot_status")).data.usage_today;
    const cap = input_tokens + output_tokens + 50;
    await stop();
    await start({
      MODEL: "ai-gateway/anthropic/claude-new",
      MODEL_FALLBACKS: "",
      MODEL_PRICES: "",
      MODEL_DAILY_TOKENS: String(cap),
    });
    const { data } = await session.chat("and now?", { conversation: "moved" });
    expect(data).toMatchObject({ status: "done", model: "ai-gateway/anthropic/claude-new" });
    const { body = "" } = second.asked.findLast(({ url }) => url.endsWith("/messages")) ?? {};
    expect(JSON.parse(body)).toMatchObject({ model: "claude-new" });
    expect(body).toContain("rhubarb");

    // That one was counted, so the next is too much.
    const today = async () => (await session.call("bot_status")).data.usage_today;
    await expect.poll(async () => (await today()).input_tokens, { timeout: 30_000 }).toBeGreaterThan(input_tokens);
    const before = calls(first) + calls(second);
    const capped = await session.chat("too much", { conversation: "capped" });
    expect(capped.data).toMatchObject({
      status: "failed",
      error: {
        code: "limited",
        message: expect.stringMatching(/^The Moltbot's budget for today is used up: \d+ of \d+ tokens\.$/),
        hint: expect.stringContaining("MODEL_DAILY_TOKENS"),
      },
    });
    expect(calls(first) + calls(second)).toBe(before);
    expect((await today()).cap_tokens).toBe(cap);
  });
});
