import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect, type Session, signIn } from "./client.ts";

const bot = inject("bot");
const friend = inject("friend");
const CONVERSATION = "plants";

let session: Session;
let other: Session;
beforeAll(async () => {
  session = await connect(bot, await signIn(bot));
  other = await connect(friend, await signIn(friend, ["chat", "control"]));
  await session.chat("say: hello", { conversation: CONVERSATION });
});
afterAll(async () => {
  for (const { id } of await listed()) await session.call("bot_jobs", { action: "remove", id });
  await session.close();
  await other.close();
});

const listed = async (by: Session = session) => (await by.call("bot_jobs", { action: "list" })).data.jobs ?? [];

const ids = async () => (await listed()).map((job: { id: string }) => job.id);
const said = async () => (await session.call("chat_history", { conversation: CONVERSATION })).text;

const WATERING = {
  action: "add",
  name: "Water the plants",
  message: "say: the plants have water now",
  conversation: CONVERSATION,
};

async function add(input: Record<string, unknown>): Promise<Record<string, string>> {
  const { data, text, isError } = await session.call("bot_jobs", { ...WATERING, ...input });
  expect([isError, text]).toEqual([false, expect.stringContaining("only while the Moltbot is awake")]);
  return data.jobs[0];
}

describe("a job of the Moltbot", () => {
  it("is added, listed, run, paused, resumed and removed", async () => {
    const job = await add({ every_minutes: 120 });
    expect(job).toMatchObject({
      name: "Water the plants",
      schedule: "every 2 hours",
      enabled: true,
      running: false,
      yours: true,
      conversation: CONVERSATION,
      message: WATERING.message,
    });
    const { id } = job;
    expect(await listed()).toEqual([job]);

    const run = await session.call("bot_jobs", { action: "run", id });
    expect([run.isError, run.text]).toEqual([false, expect.stringContaining("begins")]);
    const now = async () => (await listed())[0];
    await expect.poll(now, { timeout: 120_000, interval: 500 }).toMatchObject({ last_status: "ok", running: false });
    // It keeps its schedule.
    expect(Date.parse((await now()).next_run_at)).toBeGreaterThan(Date.now() + 100 * 60_000);
    await expect.poll(said, { timeout: 60_000, interval: 500 }).toContain("the plants have water now");

    const paused = await session.call("bot_jobs", { action: "pause", id });
    expect(paused.data.jobs[0]).toMatchObject({ enabled: false });
    expect(paused.data.jobs[0]).not.toHaveProperty("next_run_at");
    const refused = await session.call("bot_jobs", { action: "run", id });
    expect([refused.isError, refused.text]).toEqual([true, expect.stringMatching(/paused.*Resume/s)]);
    const resumed = await session.call("bot_jobs", { action: "resume", id });
    expect(resumed.data.jobs[0]).toMatchObject({ enabled: true, next_run_at: expect.any(String) });

    expect((await session.call("bot_jobs", { action: "remove", id })).isError).toBe(false);
    expect(await listed()).toEqual([]);
    for (const action of ["run", "pause", "resume", "remove"]) {
      const gone = await session.call("bot_jobs", { action, id });
      expect([gone.isError, gone.text]).toEqual([true, expect.stringMatching(/no such job.*list/is)]);
    }
  });

  it("runs by the clock, at a moment or by a cron line", async () => {
    const at = new Date(Date.now() + 5_000).toISOString();
    const { schedule } = await add({ at, message: "say: it is time" });
    expect(schedule).toBe(`once at ${at}`);
    const daily = await add({ cron: "0 8 * * 1-5", timezone: "Europe/Vienna" });
    expect(daily["schedule"]).toBe("at 0 8 * * 1-5 (Europe/Vienna)");
    await expect.poll(ids, { timeout: 120_000, interval: 500 }).toEqual([daily["id"]]);
    await expect.poll(said, { timeout: 60_000, interval: 500 }).toContain("it is time");
  });

  it.each([
    ["a cron line that names no time", { cron: "99 99 * * *" }, /minute.*five fields/s],
    ["a day that never comes", { cron: "0 0 30 2 *" }, /never.*five fields/s],
    ["a moment that is past", { at: "2020-01-01T00:00:00Z" }, /past.*moment to come/s],
    ["a conversation that is not there", { every_minutes: 5, conversation: "nowhere" }, /no conversation.*chat_send/s],
  ])("is not added with %s, and the error names what is right", async (_what, input, wanted) => {
    const before = await listed();
    const { isError, text } = await session.call("bot_jobs", { ...WATERING, ...input });
    expect([isError, text]).toEqual([true, expect.stringMatching(wanted)]);
    expect(await listed()).toEqual(before);
  });

  it("is shown to others only with the permission to change it, and then without what it says", async () => {
    const { id } = await add({ every_minutes: 60 });
    const chatting = await connect(friend, await signIn(friend, ["chat"]));
    expect(await listed(chatting)).toEqual([]);
    expect((await session.call("bot_jobs", { action: "list" })).text).toContain(id);
    const seen = (await listed(other)).find((job: { id: string }) => job.id === id);
    expect(seen).toMatchObject({ name: "Water the plants", yours: false });
    expect(seen).not.toHaveProperty("message");
    expect(seen).not.toHaveProperty("conversation");
    await chatting.close();
  });

  it("is changed only with the permission control, which the refusal names", async () => {
    const chatting = await connect(bot, await signIn(bot, ["chat"]));
    expect((await chatting.call("bot_jobs", { action: "list" })).isError).toBe(false);
    for (const action of ["add", "run", "pause", "resume", "remove"]) {
      const refused = await fetch(`${bot.url}/mcp`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${chatting.token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { name: "bot_jobs", arguments: { action, id: "x" } },
        }),
      });
      expect([action, refused.status]).toEqual([action, 403]);
      expect(refused.headers.get("www-authenticate")).toContain('scope="chat control"');
    }
    await chatting.close();
  });
});

describe("while the Moltbot sleeps", () => {
  it("no job is shown, nothing wakes it, and the answer says how to", async () => {
    await session.call("bot_sleep");
    const phase = async () => (await session.call("bot_status")).data.phase;
    await expect.poll(phase, { timeout: 60_000, interval: 500 }).toBe("asleep");
    for (const input of [{ action: "list" }, { ...WATERING, every_minutes: 5 }]) {
      const { isError, text } = await session.call("bot_jobs", input);
      expect([isError, text]).toEqual([true, expect.stringMatching(/asleep.*bot_wake/s)]);
    }
    expect(await phase()).toBe("asleep");
    expect((await session.call("bot_wake")).isError).toBe(false);
    await expect.poll(phase, { timeout: 220_000, interval: 500 }).toBe("ready");
    // The jobs are part of what is kept.
    expect(await listed()).toContainEqual(expect.objectContaining({ schedule: "every hour" }));
  });
});
