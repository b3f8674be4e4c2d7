import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import type { Route } from "../../src/admin/route.ts";
import { ROUTES } from "../../src/admin/routes.ts";
import { mcp, TestClient } from "../auth/client.ts";
import { expectDiscreet } from "../auth/discreet.ts";
import { type AuthStack, authStack, OWNER } from "../auth/stack.ts";
import { commands, hostile, pick, seeded } from "./hostile.ts";
import { type TestVisitor, visitor } from "./visitor.ts";

/** Another one tries other inputs; this one is what every run has tried. */
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_130);
const EACH = 24;
/** What a command that got through would leave behind, in the bot's own folder. */
const MARK = "/workspace/fuzz-was-here";
const CONTROL = "/workspace/control-was-here";

let stack: AuthStack;
let owner: TestVisitor;
let ticket: string;
let token: string;
let before: Kept;
beforeAll(async () => {
  stack = await authStack();
  owner = await visitor(stack, { email: OWNER.email });
  ticket = await stack.issuer.ticket({ email: OWNER.email, sub: "" });
  token = (await (await TestClient.register(stack.url)).tokens(["chat", "exec", "control"])).access_token;
  await stack.place("files/kept.txt", "kept");
  await owner.post("bot/start");
  await vi.waitFor(async () => expect((await owner.read("status")).gateway.phase).toBe("ready"), waits);
  await call("chat_send", { message: "say: hello", wait_seconds: 45 });
  await call("bot_jobs", { action: "add", name: "Kept", message: "say: kept", cron: "0 4 1 1 *" });
  // A change of the memory that is under way would look like one of ours.
  await vi.waitFor(async () => {
    before = await kept();
    expect(before.generations.length).toBeGreaterThan(0);
    expect(before.jobs).toHaveLength(1);
    expect(await settled()).toEqual(before);
  }, waits);
}, 400_000);
afterAll(() => stack?.close());

const waits = { timeout: 150_000, interval: 500 };

async function call(name: string, input: Record<string, unknown>): Promise<string> {
  const authorization = `Bearer ${token}`;
  return (await mcp(stack.url, { authorization }, { method: "tools/call", params: { name, arguments: input } })).text;
}

const named = z.array(z.record(z.string(), z.unknown()));
type Kept = Awaited<ReturnType<typeof kept>>;

/** What there is to lose. */
async function kept() {
  const [status, generations, grants, jobs, files, devices] = await Promise.all(
    ["status", "generations", "grants", "jobs", "files", "devices"].map((path) => owner.read(path)),
  );
  return {
    starts: status.gateway.starts,
    head: status.memory.head?.id,
    generations: named.parse(generations.generations).map(({ id }) => id),
    grants: named.parse(grants.grants).map(({ id }) => id),
    jobs: named.parse(jobs.jobs).map(({ id, enabled, schedule }) => [id, enabled, schedule]),
    files: named.parse(files.files).map(({ path, size }) => [path, size]),
    devices: named.parse(devices.paired).map(({ deviceId }) => deviceId),
  };
}

async function settled() {
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  return await kept();
}

interface Tried {
  status: number;
  text: string;
  headers: Headers;
  location: undefined;
}

/** As it stands: fetch would tidy the path up. */
function ask(method: string, path: string, body: string | undefined): Promise<Tried> {
  const { hostname, port } = new URL(stack.url);
  const headers = {
    cookie: `CF_Authorization=${ticket}`,
    origin: stack.url,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, text, headers: new Headers(), location: undefined }),
      );
    });
    asked.on("error", reject).end(body);
  });
}

interface Input {
  method: string;
  path: string;
  body: string | undefined;
}

/** Names that routes know, and some that every object has. */
const NAMES: [string, ...string[]] = [
  "id",
  "requestId",
  "deviceId",
  "generation",
  "channel",
  "account",
  "lines",
  "days",
  "limit",
  "prefix",
  "cursor",
  "replace",
  "__proto__",
  "constructor",
  "x",
];

function inputFor(route: Route, random: () => number, ids: readonly string[]): Input {
  const given: [string, unknown][] = Array.from({ length: 1 + Math.floor(random() * 3) }, () => [
    pick(random, NAMES),
    hostile(random, MARK, ids),
  ]);
  const address = `/admin/api/${route.path}`;
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, textOf(value)]));
  if (route.method === "GET") {
    const below = route.below === true ? rawPath(textOf(given[0]?.[1])) : "";
    return { method: "GET", path: `${address}${below}?${query}`, body: undefined };
  }
  if (route.streamed) return { method: "POST", path: `${address}?${query}`, body: textOf(given[0]?.[1]) };
  const body = pick(random, [
    // JSON.stringify would leave "__proto__" out of an object that is written as one.
    `{${given.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`,
    JSON.stringify(given.map(([, value]) => value)),
    JSON.stringify(textOf(given[0]?.[1])),
    `{"id":${textOf(given[0]?.[1])}}`,
    `${"[".repeat(1_500)}${"]".repeat(1_500)}`,
    `{"id":"${"x".repeat(5_000)}"}`,
  ]);
  return { method: "POST", path: address, body };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a request line can carry, and no more. */
function rawPath(text: string): string {
  return text.toWellFormed().replace(/[^!-~]|[?#]/gu, (sign) => encodeURIComponent(sign));
}

const TRICKS = [
  "/admin/api/status/",
  "/admin/api//status",
  "/admin/api/STATUS",
  "/admin/api/status%00",
  "/admin/api/%73tatus",
  "/admin/api/jobs/run/../remove",
  "/admin/api/jobs/run/%2e%2e/remove",
  "/admin/api/../api/status",
  "/admin/api/..%2f..%2fbridge/state/head",
  "/admin/api/__proto__",
  "/admin/api/constructor",
  "/admin/api/files/../generations",
  "/admin/api/files/..%2fmanifests",
  "/admin/api/files/%2e%2e%2fmanifests%2f00000001",
  "/admin/api/files//etc/passwd",
  "/admin/api/files/%ff",
  "/admin/api/files/kept.txt%00.png",
  `/admin/api/files/${"a/".repeat(600)}x`,
  "/admin/api/%2e%2e/%2e%2e/admin/api/me",
];

/** In the right form, and of nothing that is there. */
const UNKNOWN: [path: string, body: Record<string, string>][] = [
  ["generations/restore", { generation: "99999999" }],
  ["grants/revoke", { id: "A".repeat(16) }],
  ["devices/approve", { requestId: "nobody" }],
  ["devices/reject", { requestId: "nobody" }],
  ["devices/revoke", { deviceId: "0".repeat(64) }],
  ...["run", "pause", "resume", "remove"].map((verb): [string, Record<string, string>] => [
    `jobs/${verb}`,
    { id: "nothing" },
  ]),
  ...["approve", "reject"].map((verb): [string, Record<string, string>] => [
    `pairings/${verb}`,
    { channel: "telegram", account: "default", requestId: "nobody" },
  ]),
];

async function allTried(inputs: readonly Input[]): Promise<[Input, Tried][]> {
  const tried: [Input, Tried][] = [];
  for (let at = 0; at < inputs.length; at += 8) {
    tried.push(
      ...(await Promise.all(
        inputs.slice(at, at + 8).map(async (input): Promise<[Input, Tried]> => {
          return [input, await ask(input.method, input.path, input.body)];
        }),
      )),
    );
  }
  return tried;
}

describe(`every route, with what nobody sends who means well (seed ${SEED})`, () => {
  it("refuses it or finds nothing: no error of the server's, and no word about its making", async () => {
    const random = seeded(SEED);
    const ids = [...before.generations, ...before.grants, ...before.jobs.map(([id]) => id)].map(String);
    const inputs = [
      ...ROUTES.flatMap((route) => Array.from({ length: EACH }, () => inputFor(route, random, ids))),
      ...TRICKS.flatMap((path) => ["GET", "POST"].map((method) => ({ method, path, body: undefined }))),
    ];
    expect(inputs.length).toBeGreaterThanOrEqual(500);
    const tried = await allTried(inputs);
    const wrong = tried.filter(([, { status }]) => status < 200 || status >= 500);
    expect(wrong.map(([input, { status, text }]) => [status, input, text])).toEqual([]);
    for (const [, answer] of tried) if (answer.status >= 400) expectDiscreet(answer);
    const changed = tried.filter(([{ method }, { status }]) => method === "POST" && status < 300);
    expect(changed.map(([input]) => input)).toEqual([]);
  }, 120_000);

  it.each(UNKNOWN)("says that there is no such thing, and stops nothing for it: %s %j", async (path, body) => {
    const refused = await owner.post(path, body);
    expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([404, "not_found"]);
    expectDiscreet(refused);
  });

  it("stops nothing for a client either that names no generation there is", async () => {
    expect(await call("memory_restore", { generation: "99999999" })).toContain("There is no generation 99999999.");
    expect((await owner.read("status")).gateway).toMatchObject({ phase: "ready", starts: before.starts });
  });

  it("runs no command, and loses nothing", async () => {
    // The same words do leave their mark where a shell gets them.
    await call("command_run", { command: `echo ${commands(CONTROL)[0]}` });
    const found = await call("file_list", { path: "/workspace", hidden: true });
    expect(found).toContain("control-was-here");
    expect(found).not.toContain("fuzz-was-here");
    const elsewhere = await call("command_run", {
      command: "find / -xdev -name '*fuzz-was-here*' 2>/dev/null; echo done",
    });
    expect(elsewhere).toContain("done");
    expect(elsewhere).not.toContain("fuzz-was-here");
    const { head: _head, generations: olders, ...after } = await kept();
    const { head: _before, generations, ...same } = before;
    expect(after).toEqual(same);
    // The memory may have grown by what was just run, and has lost none of what it was.
    expect(olders).toEqual(expect.arrayContaining(generations));
  }, 120_000);
});
