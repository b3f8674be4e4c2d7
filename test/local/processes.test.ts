import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, NO_SESSION, startTestHost, type TestContainer, type TestHost } from "./container-under-test.ts";

let host: TestHost;
let box: TestContainer;

beforeAll(async () => {
  host = await startTestHost();
  box = host.container("processes");
  await box.start();
});

afterAll(() => host[Symbol.asyncDispose]());

type Event = Record<string, unknown> & { type: string };

async function* eventsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  let rest = "";
  for await (const chunk of stream) {
    const frames = (rest + Buffer.from(chunk).toString("utf8")).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) yield JSON.parse(frame.replace(/^.*?data: /s, ""));
  }
}

async function all(stream: ReadableStream<Uint8Array>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of eventsOf(stream)) events.push(event);
  return events;
}

const SERVER = `node -e "require('http').createServer((_, res) => res.end('hi')).listen(PORT, () => console.log('listening'))"`;

describe("a background process", () => {
  test("is started, listed, and described when it has ended", async () => {
    const { processes } = await box.api();
    const { processId, pid } = await processes.startProcess("echo out; echo err >&2; exit 5", NO_SESSION, {
      processId: "short",
      env: { A: "1" },
    });
    expect(processId).toBe("short");
    await eventually(async () => (await processes.getProcess("short")).process.status !== "running");
    expect((await processes.getProcess("short")).process).toMatchObject({
      id: "short",
      pid,
      status: "failed",
      exitCode: 5,
    });
    expect((await processes.listProcesses()).processes.map(({ id }) => id)).toContain("short");
    expect(await processes.getProcessLogs("short")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
    await expect(processes.killProcess("short")).rejects.toMatchObject({ code: "COMMAND_NOT_FOUND" });
  });

  test("is killed with all its children", async () => {
    const { processes } = await box.api();
    await processes.startProcess('trap "" TERM; sleep 4321 & sleep 4321', NO_SESSION, { processId: "group" });
    await eventually(async () => (await box.sh('pgrep -cf "^sleep 4321" || true')).trim() === "2");
    await processes.killProcess("group");
    expect((await processes.getProcess("group")).process.status).toBe("killed");
    // A killed process takes a moment to end.
    await eventually(async () => (await box.sh('pgrep -cf "^sleep 4321" || true')).trim() === "0");
  });

  test("is unknown by any other name", async () => {
    const { processes } = await box.api();
    for (const call of [
      processes.getProcess,
      processes.killProcess,
      processes.getProcessLogs,
      processes.streamProcessLogs,
    ]) {
      await expect(call("nobody")).rejects.toMatchObject({ code: "PROCESS_NOT_FOUND" });
    }
  });

  test("streams what it has printed, what it prints, and its exit", async () => {
    const { processes } = await box.api();
    await processes.startProcess("echo before; until [ -e /tmp/go ]; do sleep 0.05; done; echo after", NO_SESSION, {
      processId: "logs",
    });
    await eventually(async () => (await processes.getProcessLogs("logs")).stdout === "before\n");
    const stream = await processes.streamProcessLogs("logs");
    await box.sh("touch /tmp/go");
    const events = await all(stream);
    expect(events.map(({ type, data, exitCode }) => [type, type === "exit" ? exitCode : data])).toEqual([
      ["stdout", "before\n"],
      ["stdout", "after\n"],
      ["exit", 0],
    ]);
    expect(events.every(({ processId }) => processId === "logs")).toBe(true);
  });

  test("has only the end of its output kept", async () => {
    const { processes } = await box.api();
    await processes.startProcess("seq 1 1000000", NO_SESSION, { processId: "chatty" });
    await eventually(async () => (await processes.getProcess("chatty")).process.status === "completed");
    const { stdout } = await processes.getProcessLogs("chatty");
    expect(stdout.length).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(stdout.endsWith("999999\n1000000\n")).toBe(true);
  });
});

describe("watchPort", () => {
  test("tells when the port answers", async () => {
    const { processes, ports } = await box.api();
    const stream = await ports.watchPort({ port: 8100, mode: "http", path: "/", interval: 100 });
    await processes.startProcess(SERVER.replace("PORT", "8100"), NO_SESSION, { processId: "server" });
    expect(await all(stream)).toEqual([
      { type: "watching", port: 8100 },
      { type: "ready", port: 8100, statusCode: 200 },
    ]);
    const tcp = await all(await ports.watchPort({ port: 8100, mode: "tcp" }));
    expect(tcp.at(-1)).toMatchObject({ type: "ready" });
    await processes.killProcess("server");
  });

  test("tells that the process ended before", async () => {
    const { processes, ports } = await box.api();
    await processes.startProcess("exit 9", NO_SESSION, { processId: "fails" });
    const events = await all(await ports.watchPort({ port: 8101, mode: "http", processId: "fails", interval: 100 }));
    expect(events.at(-1)).toMatchObject({ type: "process_exited", exitCode: 9 });
  });
});

describe("watch", () => {
  test("tells what was created, changed and deleted, in new directories too", async () => {
    const { watch } = await box.api();
    await box.sh("mkdir -p /workspace/watched/node_modules");
    const events = eventsOf(await watch.watch({ path: "/workspace/watched" }));
    expect((await events.next()).value).toMatchObject({ type: "watching", path: "/workspace/watched" });
    await box.sh("cd /workspace/watched && mkdir sub && echo 1 > sub/file && echo 1 > node_modules/ignored");
    await box.sh(
      "cd /workspace/watched && sleep 0.2 && echo 2 >> sub/file && sleep 0.2 && rm sub/file && echo end > end",
    );
    const seen: string[] = [];
    for await (const { eventType, path } of events) {
      seen.push(`${String(eventType)} ${String(path)}`);
      if (seen.includes("create /workspace/watched/end")) break;
    }
    expect(seen).toEqual(
      expect.arrayContaining([
        "create /workspace/watched/sub",
        "create /workspace/watched/sub/file",
        "modify /workspace/watched/sub/file",
        "delete /workspace/watched/sub/file",
      ]),
    );
    expect(seen.join()).not.toContain("ignored");
  });

  test("answers whether anything changed since", async () => {
    const { watch } = await box.api();
    const first = await watch.checkChanges({ path: "/workspace" });
    expect(first.status).toBe("unchanged");
    expect(await watch.checkChanges({ path: "/workspace", since: first.version })).toMatchObject({
      status: "unchanged",
    });
    await box.sh("echo changed > /workspace/new");
    await eventually(
      async () => (await watch.checkChanges({ path: "/workspace", since: first.version })).status === "changed",
    );
    expect(await watch.checkChanges({ path: "/workspace", since: "watch-0-0:1" })).toMatchObject({ status: "resync" });
    await expect(watch.checkChanges({ path: "/nowhere" })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

test("what the machine has no program for is refused with a code of the SDK", async () => {
  const { git, interpreter, backup, tunnels } = await box.api();
  await expect(git.checkout()).rejects.toMatchObject({ code: "GIT_OPERATION_FAILED" });
  await expect(interpreter.createCodeContext()).rejects.toMatchObject({ code: "INTERPRETER_NOT_READY" });
  await expect(backup.createArchive()).rejects.toMatchObject({ code: "BACKUP_CREATE_FAILED" });
  await expect(tunnels.runQuickTunnel()).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
});
