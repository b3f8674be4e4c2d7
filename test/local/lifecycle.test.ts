import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { COMMAND_PROCESS_LIMIT } from "../../local/container/server/shell.ts";
import {
  CONTAINER_DIRECTORY,
  containerOf,
  eventually,
  NO_SESSION,
  NODE_BINARY,
  PROJECT,
  startTestHost,
  threadsOfTheMachine,
  type TestHost,
} from "./container-under-test.ts";

/** The pids of this machine whose command line contains the marker. */
async function processesWith(marker: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const matching = await Promise.all(
    pids.map(async (pid) => (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).includes(marker)),
  );
  return pids.filter((_pid, index) => matching[index]);
}

/** A command that is told from every other process of the machine, in ways that are hard to end. */
function stubborn(): { marker: string; command: string } {
  const marker = `98765.${Math.floor(Math.random() * 1e9)}`;
  return { marker, command: `(setsid nohup sleep ${marker} >/dev/null 2>&1 &) ; trap "" TERM HUP; sleep ${marker}` };
}

describe("a container", () => {
  let host: TestHost;

  beforeEach(async () => {
    host = await startTestHost();
  });

  afterEach(() => host[Symbol.asyncDispose]());

  test("starts once, tells that it runs, and starts again after its end", async () => {
    const box = host.container("again");
    expect(await box.running()).toBe(false);
    expect((await box.call("monitor")).status).toBe(404);
    await Promise.all([box.start(), box.start()]);
    expect(await box.running()).toBe(true);
    await box.sh("touch /tmp/same");
    await box.start();
    expect(await box.sh("ls /tmp/same")).toBe("/tmp/same\n");
    await box.call("destroy", {});
    expect(await box.running()).toBe(false);
    expect((await box.start()).status).toBe(200);
    expect(await box.sh("echo back")).toBe("back\n");
  });

  test("keeps home and workspace over a restart, and nothing else", async () => {
    const box = host.container("kept");
    await box.start();
    await box.sh("echo 1 > ~/file; echo 2 > /workspace/file; echo 3 > /tmp/file; echo 4 > /run/file");
    await box.call("destroy", {});
    await box.start();
    expect(await box.sh("cat ~/file /workspace/file; ls -A /tmp; ls /run/file 2>/dev/null || true")).toBe("1\n2\n");
  });

  test("asked to stop, gives every process the time to end, and exits with 0", async () => {
    const box = host.container("stops");
    await box.start();
    const monitor = box.call("monitor");
    const { processes } = await box.api();
    const onTerm =
      'trap "sleep 0.5; echo flushed > /workspace/flushed; exit" TERM; echo ready; while :; do sleep 0.1; done';
    await processes.startProcess(onTerm, NO_SESSION, { processId: "keeper" });
    await eventually(async () => (await processes.getProcessLogs("keeper")).stdout.includes("ready"));
    await box.call("signal", { signal: 15 });
    expect(await (await monitor).json()).toEqual({ exitCode: 0 });
    await box.start();
    expect(await box.sh("cat /workspace/flushed")).toBe("flushed\n");
  });

  test("destroyed, leaves no process behind, however detached", async () => {
    const box = host.container("leaves");
    await box.start();
    const { marker, command } = stubborn();
    await (await box.api()).processes.startProcess(command, NO_SESSION);
    await eventually(async () => (await processesWith(marker)).length >= 2);
    const monitor = box.call("monitor");
    await box.call("destroy", {});
    expect(await (await monitor).json()).toEqual({ exitCode: 137 });
    await eventually(async () => (await processesWith(marker)).length === 0);
  });

  test("whose server ends is told to have ended", async () => {
    const box = host.container("ends");
    await box.start();
    const monitor = box.call("monitor");
    await box.sh("kill -KILL $PPID").catch(() => undefined);
    expect(await (await monitor).json()).toEqual({ exitCode: 137 });
    expect(await box.running()).toBe(false);
  });

  test("starts over sockets a killed host left", async () => {
    const run = join(host.stateDir, "stale/run");
    await mkdir(run, { recursive: true });
    await writeFile(join(run, "link.sock"), "not even a socket");
    const box = host.container("stale");
    await box.start();
    expect(await box.sh("echo fine")).toBe("fine\n");
  });

  test("has a state folder that nobody else on the machine may enter", async () => {
    await host.container("private").start();
    expect((await stat(join(host.stateDir, "private"))).mode & 0o077).toBe(0);
  });

  test("runs from a folder whose path is longer than a socket address", async () => {
    const stateDir = join(host.stateDir, "x".repeat(120), "y".repeat(120));
    await using deep = await startTestHost({ stateDir });
    await using box = deep.container("deep");
    await box.start();
    expect(await box.sh("echo deep")).toBe("deep\n");
  });
});

/** Starts host-process.ts and reads where it listens. */
async function startHostProcess(
  script: string,
  paths: { stateDir: string; nodeBinary: string; containerDir: string },
  options: SpawnOptions = {},
): Promise<{ child: ChildProcess; host: { url: string; token: string } }> {
  const { stateDir, nodeBinary, containerDir } = paths;
  const child = spawn(nodeBinary, [script, stateDir, nodeBinary, containerDir], {
    stdio: ["pipe", "pipe", "inherit"],
    ...options,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  if (child.stdout === null) throw new Error("no stdout");
  for await (const line of createInterface({ input: child.stdout })) return { child, host: JSON.parse(line) };
  throw new Error("The host process did not start");
}

test("a host that is killed takes every process of its containers along", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-killed-"));
  onTestFinished(() => rm(stateDir, { recursive: true }));
  const script = join(PROJECT, "test/local/host-process.ts");
  const paths = { stateDir, nodeBinary: NODE_BINARY, containerDir: CONTAINER_DIRECTORY };
  const { child, host } = await startHostProcess(script, paths);
  const box = containerOf(host, "orphan");
  await box.start();
  const { marker, command } = stubborn();
  await (await box.api()).processes.startProcess(command, NO_SESSION);
  await eventually(async () => (await processesWith(marker)).length >= 2);

  child.kill("SIGKILL");
  await once(child, "exit");

  await eventually(async () => (await processesWith(marker)).length === 0);

  const again = await startHostProcess(script, paths);
  const restarted = containerOf(again.host, "orphan");
  expect(await restarted.running()).toBe(false);
  await restarted.start();
  expect(await restarted.sh("echo again")).toBe("again\n");
  again.child.stdin?.end();
  expect(await once(again.child, "exit")).toEqual([0, null]);
});

/** For a user without any right: a folder with all that the host needs, readable by everyone. */
async function copyForEveryone(target: string): Promise<void> {
  const packages = ["capnweb", "ws", "zod", "@cloudflare/sandbox/package.json", "@cloudflare/sandbox/dist"];
  const needed = ["package.json", "local/container", "test/local/host-process.ts", "container/package.json"];
  for (const path of [...needed, ...packages.map((name) => `node_modules/${name}`)]) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await cp(join(PROJECT, path), join(target, path), { recursive: true });
  }
  await cp(NODE_BINARY, join(target, "node"));
  await chmod(target, 0o755);
}

describe.skipIf(process.getuid?.() !== 0)("started by a user who is not root", () => {
  const UID = 54_321;

  test("a container runs in a user namespace, as closed as for root", async () => {
    const folder = await mkdtemp(join(tmpdir(), "moltbot-user-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await copyForEveryone(folder);
    const stateDir = join(folder, "state");
    await mkdir(stateDir);
    await chown(stateDir, UID, UID);
    const { child, host } = await startHostProcess(
      join(folder, "test/local/host-process.ts"),
      { stateDir, nodeBinary: join(folder, "node"), containerDir: join(folder, "container") },
      { uid: UID, gid: UID, cwd: folder, env: { PATH: "/usr/bin:/bin", HOST_CANARY: "canary" } },
    );
    const box = containerOf(host, "user");
    expect((await box.start()).status).toBe(200);

    expect(await box.sh("id -u; id -un; ls -A /home")).toBe("1000\nmoltbot\nmoltbot\n");
    const status = await box.sh("cat /proc/self/status");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      expect(status).toMatch(new RegExp(`^${set}:\\s0+$`, "m"));
    }
    expect(status).toMatch(/^NoNewPrivs:\s1$/m);
    expect(await box.sh('cat /proc/[0-9]*/environ | tr "\\0" "\\n"')).not.toContain("canary");
    for (const path of [
      "/x",
      "/etc/x",
      "/dev/x",
      "/opt/x",
      "/opt/moltbot/x",
      "/run/moltbot/x",
      "/proc/sys/kernel/hostname",
    ]) {
      await expect(box.sh(`echo x > ${path}`)).rejects.toThrow(/Read-only|Permission denied/);
    }
    await expect(box.sh("unshare --user true")).rejects.toThrow(/unshare failed/);
    await expect(box.sh(`ls ${folder}`)).rejects.toThrow(/No such file/);
    await box.sh("echo kept > /workspace/file");
    const before = await threadsOfTheMachine();
    await box.sh(":(){ :|:& };:");
    await eventually(async () => (await threadsOfTheMachine()) > before + 200);
    for (let times = 0; times < 10; times += 1) {
      expect(await threadsOfTheMachine()).toBeLessThan(before + COMMAND_PROCESS_LIMIT + 200);
      expect(await box.sh("echo works")).toBe("works\n");
    }

    const { marker, command } = stubborn();
    await box.call("destroy", {});
    await box.start();
    expect(await box.sh("cat /workspace/file")).toBe("kept\n");
    await (await box.api()).processes.startProcess(command, NO_SESSION);
    await eventually(async () => (await processesWith(marker)).length >= 2);
    child.kill("SIGKILL");
    await once(child, "exit");
    await eventually(async () => (await processesWith(marker)).length === 0);
  });
});
