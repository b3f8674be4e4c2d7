import { createServer } from "node:http";
import { closeSync, openSync } from "node:fs";
import { access, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkJail } from "../../local/container/jail.ts";
import {
  CONTAINER_DIRECTORY,
  NODE_BINARY,
  PROJECT,
  startTestHost,
  type TestContainer,
  type TestHost,
} from "./container-under-test.ts";

const CANARY = `canary-${process.pid}`;
const canaries = [join(homedir(), CANARY), join(PROJECT, CANARY), join(tmpdir(), CANARY)];

let host: TestHost;
let box: TestContainer;

beforeAll(async () => {
  for (const canary of canaries) await writeFile(canary, CANARY);
  process.env["MOLTBOT_TEST_CANARY"] = CANARY;
  host = await startTestHost();
  box = host.container("jail");
  await box.start({ GIVEN: "to the container" });
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  for (const canary of canaries) await rm(canary);
});

describe("what is visible inside", () => {
  test("shows a root of its own and nothing of the machine beside programs and libraries", async () => {
    const root = (await box.sh("ls -A /")).trim().split("\n");
    const expected = [
      "bin",
      "dev",
      "etc",
      "home",
      "lib",
      "opt",
      "proc",
      "run",
      "sbin",
      "tmp",
      "usr",
      "var",
      "workspace",
    ];
    expect(root.filter((name) => !/^lib\w*$/.test(name))).toEqual(expected.filter((name) => name !== "lib"));
    expect(await box.sh("ls -A /home /home/moltbot /workspace /root 2>&1 || true")).toContain("cannot access '/root'");
    expect((await box.sh("ls -A /home")).trim()).toBe("moltbot");
    expect((await box.sh("ls -A /etc")).split("\n")).not.toContain("shadow");
  });

  test("shows no file of the home folder, the project or the temporary folder", async () => {
    for (const canary of canaries) {
      await expect(box.sh(`cat ${canary}`)).rejects.toThrow(/No such file/);
    }
    expect(await box.sh(`grep -rl ${CANARY} /home /workspace /tmp /var /run /etc 2>/dev/null || true`)).toBe("");
  });

  test("shows the project container folder and node, read-only", async () => {
    expect(await box.sh("cat /opt/moltbot/package.json")).toContain("openclaw");
    expect(await box.sh("node --version")).toMatch(/^v24\./);
    await expect(box.sh("echo x > /opt/moltbot/x")).rejects.toThrow(/Read-only|Permission denied/);
    await expect(box.sh("echo x > /usr/x")).rejects.toThrow(/Read-only|Permission denied/);
    await expect(box.sh("echo x > /x")).rejects.toThrow(/Read-only|Permission denied/);
    await expect(box.sh("echo x > /run/moltbot/x")).rejects.toThrow(/Read-only|Permission denied/);
  });

  test("shows the gateway's compiled code under its own user's name, and lets nobody write it", async () => {
    const uid = (await box.sh("id -u")).trim();
    expect(await box.sh("ls /opt/compile-cache")).toMatch(new RegExp(`^v24[.\\d]+-\\w+-[0-9a-f]{8}-${uid}\\n$`));
    expect(Number(await box.sh("find /opt/compile-cache -type f -readable | wc -l"))).toBeGreaterThan(1_000);
    expect(await box.sh("find /opt/compile-cache -writable; touch /opt/compile-cache/*/new 2>/dev/null || true")).toBe(
      "",
    );
    expect(await box.sh("find /opt/compile-cache -name new")).toBe("");
  });

  test("clears the environment of the machine, in every process inside", async () => {
    const environment = await box.sh('env; cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"');
    expect(environment).toContain("GIVEN=to the container");
    expect(environment).not.toContain("CANARY");
    expect(environment).not.toContain(PROJECT);
    expect(await box.sh('cat /proc/[0-9]*/cmdline | tr "\\0" " "')).not.toContain(PROJECT);
  });
});

function socket(family: number): string {
  return `perl -e 'socket(my $s, ${family}, 1, 0) ? print "open" : print "$!"'`;
}

describe("what a process inside may do", () => {
  test("has no capability and cannot get one", async () => {
    const status = await box.sh("cat /proc/self/status");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      expect(status).toMatch(new RegExp(`^${set}:\\s0+$`, "m"));
    }
    expect(status).toMatch(/^NoNewPrivs:\s1$/m);
    expect((await box.sh("id -u")).trim()).not.toBe("0");
  });

  test("cannot become root of a namespace of its own, nor leave by a family that namespaces do not hold", async () => {
    await expect(box.sh("unshare --user true")).rejects.toThrow("Operation not permitted");
    expect(await box.sh(socket(1))).toBe("open");
    expect(await box.sh(socket(2))).toBe("open");
    const [vsock, kernelCrypto] = [40, 38];
    expect(await box.sh(socket(vsock))).toContain("not supported by protocol");
    expect(await box.sh(socket(kernelCrypto))).toContain("not supported by protocol");
  });

  test("inherits no descriptor but its own three, and none from what started the host", async () => {
    const leak = openSync(NODE_BINARY, "r");
    try {
      expect((await box.sh("cd /proc/self/fd && echo *")).trim()).toMatch(/^0 1 2( \d+)?$/);
      const server = await box.sh("for fd in /proc/$PPID/fd/*; do readlink $fd; done");
      expect(server).not.toContain("/usr/");
      expect(server).not.toContain(NODE_BINARY);
    } finally {
      closeSync(leak);
    }
  });

  test("can open its own output, as scripts do", async () => {
    expect(await box.sh("echo out > /dev/stdout; echo err > /dev/stderr")).toBe("out\n");
  });

  test("sees no process outside", async () => {
    const pids = (await box.sh('ls /proc | grep -E "^[0-9]+$"')).trim().split("\n").map(Number);
    expect(pids).not.toContain(process.pid);
    expect(pids.length).toBeLessThan(10);
  });

  test("reaches no service on the machine, by no address", async () => {
    const server = createServer((_request, response) => response.end("secret")).listen(0, "0.0.0.0");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    for (const target of ["127.0.0.1", "0.0.0.0", "10.0.0.1", "192.168.0.1"]) {
      const attempt = `timeout 3 bash -c 'exec 3<>/dev/tcp/${target}/${address.port}' 2>&1 || echo unreachable`;
      expect(await box.sh(attempt)).toContain("unreachable");
    }
    server.close();
    expect((await box.sh("cat /proc/net/dev | tail -n +3 | cut -d: -f1")).trim()).toBe("lo");
  });

  // First the jail is seen to be one, in the same command too; only then is anything deleted.
  test("harms nothing outside with rm -rf /", async () => {
    const guard = `[ "$(id -un)" = moltbot ] && [ ! -e /root ] && [ ! -e ${PROJECT} ] && [ ! -e ${homedir()} ]`;
    expect(await box.sh(`${guard} && echo jailed`)).toBe("jailed\n");
    await box.sh("echo mine > /workspace/file");
    const before = await readdir(CONTAINER_DIRECTORY);

    await box.sh(`${guard} && { rm -rf --no-preserve-root / 2>/dev/null || true; }`);

    for (const path of [...canaries, NODE_BINARY, "/usr/bin/env", "/etc/passwd", join(host.stateDir, "jail/home")]) {
      await access(path);
    }
    expect(await readdir(CONTAINER_DIRECTORY)).toEqual(before);
    expect(await readdir(join(host.stateDir, "jail/workspace"))).toEqual([]);
    expect(await box.sh("echo still here")).toBe("still here\n");
  });
});

describe("checkJail", () => {
  test("passes where a jail can be made", async () => {
    await checkJail();
  });

  test("names the command that installs bubblewrap", async () => {
    const { PATH } = process.env;
    const empty = await mkdtemp(join(tmpdir(), "moltbot-empty-"));
    try {
      process.env["PATH"] = empty;
      await expect(checkJail()).rejects.toThrow("sudo apt-get install bubblewrap");
    } finally {
      process.env["PATH"] = PATH;
      await rm(empty, { recursive: true });
    }
  });
});
