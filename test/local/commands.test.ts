import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMAND_PROCESS_LIMIT } from "../../local/container/server/shell.ts";
import {
  eventually,
  NO_SESSION,
  startTestHost,
  threadsOfTheMachine,
  type TestContainer,
  type TestHost,
} from "./container-under-test.ts";

let host: TestHost;
let box: TestContainer;

beforeAll(async () => {
  host = await startTestHost();
  box = host.container("commands");
  await box.start({ FROM_START: "yes" });
});

afterAll(() => host[Symbol.asyncDispose]());

async function execute(
  command: string,
  options: { timeoutMs?: number; cwd?: string; env?: Record<string, string> } = {},
) {
  return (await box.api()).commands.execute(command, NO_SESSION, options);
}

async function eventsOf(stream: ReadableStream<Uint8Array>): Promise<Record<string, unknown>[]> {
  const text = await new Response(stream).text();
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ""));
}

describe("execute", () => {
  test("answers output, errors and exit code", async () => {
    expect(await execute("echo out; echo err >&2; exit 3")).toMatchObject({
      success: false,
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(await execute("kill -KILL $$")).toMatchObject({ exitCode: 137 });
  });

  test("starts a fresh shell in /workspace for every call", async () => {
    await execute("cd /tmp; export LEFT=behind");
    expect((await execute('pwd; echo "${LEFT:-nothing} $FROM_START"')).stdout).toBe("/workspace\nnothing yes\n");
    expect((await execute("pwd; echo $EXTRA", { cwd: "/tmp", env: { EXTRA: "more" } })).stdout).toBe("/tmp\nmore\n");
  });

  test("keeps text in any script whole", async () => {
    expect((await execute("printf 'žluťoučký 🦞'")).stdout).toBe("žluťoučký 🦞");
  });

  test("does not let one command wait for another", async () => {
    const order: string[] = [];
    const slow = execute("until [ -e /tmp/go ]; do sleep 0.05; done").then(() => order.push("slow"));
    await Promise.all(Array.from({ length: 8 }, (_, index) => execute(`echo ${index}`)));
    order.push("fast");
    await execute("touch /tmp/go");
    await slow;
    expect(order).toEqual(["fast", "slow"]);
  });

  test("returns when the shell ends, though a background child lives on", async () => {
    const { stdout } = await execute("sleep 300 & echo $!");
    const pid = stdout.trim();
    expect((await execute(`kill -0 ${pid} && echo alive`)).stdout).toBe("alive\n");
    await execute(`kill ${pid}`);
  });

  test("ends the whole process group when the time is over", async () => {
    const result = await execute("sleep 301 & sleep 301", { timeoutMs: 300 });
    expect(result).toMatchObject({ success: false, exitCode: 124 });
    expect(result.stderr).toContain("Command timed out after 300ms");
    await expect(execute('pgrep -f "^sleep 301"')).resolves.toMatchObject({ stdout: "" });
  });

  test("stops a command that prints without end, and says so", async () => {
    await expect(execute("yes")).rejects.toMatchObject({
      code: "COMMAND_EXECUTION_ERROR",
      message: expect.stringContaining("33554432 bytes"),
    });
  });

  test("tells that a working directory does not exist", async () => {
    await expect(execute("true", { cwd: "/nowhere" })).rejects.toMatchObject({ code: "COMMAND_EXECUTION_ERROR" });
  });
});

describe("executeStream", () => {
  test("sends a start, the output as it comes, and the exit code", async () => {
    const stream = await (
      await box.api()
    ).commands.executeStream("echo one; sleep 0.1; echo two >&2; exit 4", NO_SESSION);
    const events = await eventsOf(stream);
    expect(events.map(({ type }) => type)).toEqual(["start", "stdout", "stderr", "complete"]);
    expect(events.at(1)).toMatchObject({ data: "one\n" });
    expect(events.at(-1)).toMatchObject({ exitCode: 4 });
  });

  test("loses nothing of a large output to a slow reader", async () => {
    const stream = await (await box.api()).commands.executeStream("seq 1 400000", NO_SESSION);
    let text = "";
    for await (const chunk of stream) {
      text += Buffer.from(chunk).toString("latin1");
      await new Promise((resolve) => setImmediate(resolve));
    }
    const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? "").data ?? "").join("");
    expect(data.split("\n")).toHaveLength(400_001);
  });
});

describe("a named session", () => {
  test("keeps its directory and exported variables, and runs one command at a time", async () => {
    const { commands } = await box.api();
    const first = commands.execute("cd /tmp; export KEPT='a b'; sleep 0.2; echo first", "one");
    const second = commands.execute('pwd; echo "$KEPT"', "one");
    expect((await first).stdout).toBe("first\n");
    expect((await second).stdout).toBe("/tmp\na b\n");
    expect((await commands.execute('echo "${KEPT:-none}"', "other")).stdout).toBe("none\n");
    await commands.execute("unset KEPT FROM_START", "one");
    expect((await commands.execute('echo "${KEPT:-gone} ${FROM_START:-gone}"', "one")).stdout).toBe("gone gone\n");
  });

  test("survives exit, and reports its code", async () => {
    const { commands } = await box.api();
    expect((await commands.execute("cd /var; exit 7", "exits")).exitCode).toBe(7);
    expect((await commands.execute("pwd", "exits")).stdout).toBe("/var\n");
  });

  test("is made once, listed and deleted", async () => {
    const { utils } = await box.api();
    await utils.createSession({ id: "made", cwd: "/tmp", env: { A: "1" } });
    await expect(utils.createSession({ id: "made" })).rejects.toMatchObject({ code: "SESSION_ALREADY_EXISTS" });
    expect((await utils.listSessions()).sessions).toContain("made");
    await utils.deleteSession("made");
    expect((await utils.listSessions()).sessions).not.toContain("made");
  });
});

/**
 * Kills everything inside but the server and this shell, again with built-ins only. First all are stopped, pass after
 * pass until no new one shows up: a process that is killed while others fork is only replaced.
 */
const KILL_ALL_OTHERS = `
others() { for path in /proc/[0-9]*; do p=\${path#/proc/}; [ $p -gt 2 ] && [ $p != $$ ] && [ $p != $PPID ] && kill -$1 $p 2>/dev/null; done; }
for pass in 1 2 3 4 5; do others STOP; done
others KILL
others KILL
true`;

test("survives a fork bomb: bounded, the machine stays usable, and it can be killed from inside", async () => {
  expect((await execute("ulimit -Hu")).stdout).toBe(`${COMMAND_PROCESS_LIMIT}\n`);
  const before = await threadsOfTheMachine();
  await execute(":(){ :|:& };:");
  await eventually(async () => (await threadsOfTheMachine()) > before + 200);
  const start = performance.now();
  for (let times = 0; times < 20; times += 1) {
    // With room for what else the machine does meanwhile, such as a browser's threads. Without a bound it would be tens of thousands.
    expect(await threadsOfTheMachine()).toBeLessThan(before + COMMAND_PROCESS_LIMIT + 1_500);
    expect((await execute("echo works")).stdout).toBe("works\n");
    execFileSync("true");
  }
  // Twenty processes here and twenty shells inside, which take about 0.2 s without the bomb.
  expect(performance.now() - start).toBeLessThan(60_000);

  await execute(KILL_ALL_OTHERS);

  await eventually(async () => (await threadsOfTheMachine()) < before + 100);
  expect((await execute("echo fork again | cat")).stdout).toBe("fork again\n");
});
