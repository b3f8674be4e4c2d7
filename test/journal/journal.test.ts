import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import type { JournalEntry } from "../../src/core/journal.ts";
import type { JournalLimits } from "../../src/journal/access.ts";

const DAY = 24 * 60 * 60 * 1000;
const SECRET = "correct-horse-battery";

const page = z.object({
  entries: z.array(z.looseObject({ id: z.number(), action: z.string(), outcome: z.string() })),
  before: z.number().optional(),
});

let worker: Awaited<ReturnType<typeof unstable_startWorker>>;
const logged: string[] = [];

beforeAll(async () => {
  worker = await unstable_startWorker({
    config: fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url)),
    bindings: { SECRET: { type: "plain_text", value: SECRET } },
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      persist: false,
      inspector: false,
      watch: false,
      logLevel: "error",
      structuredLogsHandler: ({ message }: { message: string }) => void logged.push(message),
    },
  });
  await worker.ready;
});

afterAll(() => worker.dispose());

/** The real object in workerd, behind the admin API's handler. Each call makes a new one. */
async function journalUnder(limits: JournalLimits) {
  const url = await worker.url;
  const headers = { "x-journal": JSON.stringify({ ...limits, test: randomUUID() }) };
  const get = (path: string) => fetch(new URL(path, url), { headers });
  return {
    get,
    async record(entries: JournalEntry[], path = "/record") {
      const response = await fetch(new URL(path, url), { method: "POST", headers, body: JSON.stringify(entries) });
      expect(await response.text()).toBe("answered");
    },
    stored: async () => z.number().parse(await (await get("/stored")).json()),
    alarms: async () => z.number().parse(await (await get("/alarms")).json()),
    read: async (query = "") => page.parse(await (await get(`/?${query}`)).json()),
  };
}

/** Waits for a state, not for a time: entries are written after their caller was answered. */
function until(check: () => Promise<void> | void): Promise<void> {
  return vi.waitFor(check, { timeout: 30_000, interval: 100 });
}

function entry(action: string, more: Partial<JournalEntry> = {}): JournalEntry {
  return { kind: "call", at: Date.now(), principal: "me", action, outcome: "ok", ms: 3, ...more };
}

describe("the journal", () => {
  it("gives back what was written, newest first, in pages that end", async () => {
    const journal = await journalUnder({ keepMs: DAY, entries: 1_000 });
    const first = entry("bot_status", { client: "c", digest: "0123456789abcdef", detail: { tokens: 5, cached: true } });
    await journal.record([first]);
    await until(async () => expect(await journal.stored()).toBe(1));
    expect((await journal.read()).entries).toEqual([{ id: 1, ...first }]);

    for (const n of [1, 2, 3, 4]) await journal.record([entry(`call ${n}`)]);
    await until(async () => expect(await journal.stored()).toBe(5));
    const newest = await journal.read("limit=3");
    const rest = await journal.read(`limit=3&before=${newest.before}`);
    expect(rest.before).toBeUndefined();
    const all = [...newest.entries, ...rest.entries];
    expect(all.map(({ id }) => id)).toEqual([5, 4, 3, 2, 1]);
    expect(all.map(({ action }) => action).toSorted()).toEqual(["bot_status", "call 1", "call 2", "call 3", "call 4"]);
  });

  it("finds what is asked for and refuses what it does not know", async () => {
    const journal = await journalUnder({ keepMs: DAY, entries: 1_000 });
    const mine = entry("consent", { kind: "login", client: "claude", outcome: "forbidden" });
    await journal.record([mine, entry("chat_send"), entry("chat_send", { principal: "you", outcome: "timeout" })]);
    await until(async () => expect(await journal.stored()).toBe(3));
    const found = async (query: string) => (await journal.read(query)).entries.map(({ outcome }) => outcome).toSorted();
    expect(await found("kind=login")).toEqual(["forbidden"]);
    expect(await found("client=claude")).toEqual(["forbidden"]);
    expect(await found("action=chat_send")).toEqual(["ok", "timeout"]);
    expect(await found("action=chat_send&principal=you")).toEqual(["timeout"]);
    expect(await found("outcome=ok")).toEqual(["ok"]);
    expect(await found("action=chat_send'--")).toEqual([]);
    for (const query of ["colour=red", "kind=other", "limit=201", "limit=x", "before=-1", "kind=call&kind=login"]) {
      const refused = await journal.get(`/?${query}`);
      expect([query, refused.status]).toEqual([query, 400]);
      expect(await refused.json()).toMatchObject({ code: "invalid_input" });
    }
  });

  it("keeps the newest entries when there are too many", async () => {
    const journal = await journalUnder({ keepMs: DAY, entries: 10 });
    for (let n = 0; n < 25; n++) await journal.record([entry(`call ${n}`)]);
    await until(async () => expect((await journal.read()).entries[0]?.id).toBe(25));
    expect(await journal.stored()).toBe(10);
    expect((await journal.read()).entries.map(({ id }) => id)).toEqual([25, 24, 23, 22, 21, 20, 19, 18, 17, 16]);
  });

  it("does not show what is too old", async () => {
    const journal = await journalUnder({ keepMs: DAY, entries: 1_000 });
    await journal.record([entry("long ago", { at: Date.now() - 2 * DAY }), entry("now")]);
    await until(async () => expect(await journal.stored()).toBe(2));
    expect((await journal.read()).entries.map(({ action }) => action)).toEqual(["now"]);
  });

  it("deletes what is too old by itself, again and again", async () => {
    const journal = await journalUnder({ keepMs: 500, entries: 1_000 });
    await journal.record([entry("first")]);
    // An alarm is set by a written entry only.
    await until(async () => expect(await journal.alarms()).toBeGreaterThan(0));
    await until(async () => expect(await journal.stored()).toBe(0));
    const before = await journal.alarms();
    await journal.record([entry("second")]);
    await until(async () => expect(await journal.alarms()).toBeGreaterThan(before));
    await until(async () => expect(await journal.stored()).toBe(0));
  });

  it("keeps no secret and no long text, whatever field it comes in", async () => {
    const journal = await journalUnder({ keepMs: DAY, entries: 1_000 });
    const jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.abcdefghijk";
    await journal.record([
      entry(`run ${SECRET}`, {
        client: `sk-${"a".repeat(40)}`,
        outcome: `Bearer ${"b".repeat(40)}`,
        detail: { [`name ${SECRET}`]: jwt, cut: `${"x".repeat(295)}${SECRET}`, long: "y".repeat(5_000) },
      }),
    ]);
    await until(async () => expect(await journal.stored()).toBe(1));
    const text = JSON.stringify(await journal.read());
    expect(text).toContain("run [redacted]");
    for (const part of [SECRET, "correct", jwt, "sk-aaa", "bbbbb", "y".repeat(301)]) expect(text).not.toContain(part);
  });

  it("answers the caller when it cannot be reached, and says so in the log", async () => {
    const journal = await journalUnder({ keepMs: DAY, entries: 1_000 });
    await journal.record([entry("chat_send")], "/broken");
    await until(() => expect(logged.join("\n")).toContain("journal.record"));
    expect(logged.join("\n")).toContain("no journal here");
    expect(await journal.stored()).toBe(0);
  });
});
