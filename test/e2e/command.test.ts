import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect, type Session, signIn } from "./client.ts";

const bot = inject("bot");
let session: Session;

beforeAll(async () => {
  session = await connect(bot, await signIn(bot));
});
afterAll(() => session.close());

const run = (command: string, more: Record<string, unknown> = {}) => session.call("command_run", { command, ...more });

/** Says "met" once another command has left its mark. */
const meet = (mine: string, other: string) =>
  run(`touch /tmp/${mine}; until [ -e /tmp/${other} ]; do sleep 0.05; done; echo met`, { timeout_seconds: 45 });

/** How many processes in the sandbox have `text` in their command line; the asking one's own is left out. */
async function countProcesses(text: string): Promise<number> {
  const { data } = await run(`pgrep -fc -- '[${text[0]}]${text.slice(1)}' || true`);
  return Number(data.stdout.text);
}

describe("command_run", () => {
  it("answers with output, error output and exit code", async () => {
    const { data, text, isError } = await run("echo out; echo err >&2; exit 3");
    expect(data).toMatchObject({
      exit_code: 3,
      timed_out: false,
      stdout: { text: "out\n" },
      stderr: { text: "err\n" },
    });
    expect(text).toBe("out\n[stderr]\nerr\n[exit code 3]");
    expect(isError).toBe(true);
  });

  it("takes a directory and standard input", async () => {
    const { data } = await run("pwd; cat", { cwd: "/tmp", stdin: "line with 'quotes' and ünïcode" });
    expect(data.stdout.text).toBe("/tmp\nline with 'quotes' and ünïcode");
  });

  it("runs commands side by side", async () => {
    // Each waits for the other's file: one after the other, they would never end.
    const [one, two] = await Promise.all([meet("meet-a", "meet-b"), meet("meet-b", "meet-a")]);
    expect([one.data.stdout.text, two.data.stdout.text]).toEqual(["met\n", "met\n"]);
  });

  it("cuts output at the right place whatever characters it is made of", async () => {
    const { data } = await session.call("command_run", {
      command: "head -c 15000 /dev/zero | tr '\\0' '\\036'; head -c 5000 /dev/zero | tr '\\0' e",
    });
    expect(data.stdout).toMatchObject({ truncated: true, bytes: 20_000, binary: false });
    expect(data.stdout.text).toBe(`${"\u001e".repeat(8_000)}\n… 9000 bytes left out …\n${"e".repeat(3_000)}`);
  });

  it("cuts long output and says where all of it is", async () => {
    const { data, text } = await run("seq 1 20000");
    expect(data.stdout).toMatchObject({ truncated: true, bytes: 108_894 });
    expect(text.startsWith("1\n2\n3\n")).toBe(true);
    expect(text).toContain("\n20000\n[stdout cut: all 108894 bytes are at ");
    expect(text.length).toBeLessThan(17_000);
    const rest = await session.call("file_read", { path: data.stdout.path, offset: 50_000, limit: 100 });
    expect(rest.data.content).toBe(
      Array.from({ length: 20_000 }, (_, n) => `${n + 1}\n`)
        .join("")
        .slice(50_000, 50_100),
    );
  });

  it("says that output is not text, and keeps it", async () => {
    const { data, text } = await run("printf 'a\\0b'");
    expect(data.stdout).toMatchObject({ binary: true, text: "", bytes: 3 });
    expect(text).toContain('read it with file_read and encoding "base64"');
    const kept = await session.call("file_read", { path: data.stdout.path, encoding: "base64" });
    expect(Buffer.from(kept.data.content, "base64").toString()).toBe("a\0b");
  });

  it("says what to do about a command that is not there", async () => {
    const { data, text } = await run("no-such-command-here");
    expect(data.exit_code).toBe(127);
    expect(text).toContain("check its name, or install it first");
  });

  it.each([
    [{ command: "true", cwd: "/no/such/place" }, "There is no directory /no/such/place"],
    [{ command: "" }, "command must not be empty"],
    [{ command: "true", timeout_seconds: 600 }, "use command_start for longer work"],
    [{ command: "true", shell: "zsh" }, "unknown argument shell"],
    [{}, "command is missing"],
    [{ command: "x".repeat(70_000) }, "write a script with file_write"],
  ])("refuses %j clearly", async (input, problem) => {
    const { text, isError } = await session.call("command_run", input);
    expect(isError).toBe(true);
    expect(text).toContain(problem);
    expect(text.length).toBeLessThan(300);
  });

  it("kills the whole process tree at the timeout, strays included", async () => {
    const stray = "sleep 7777.1 & setsid sleep 7777.2 & env -i sleep 7777.3 & (setsid sleep 7777.4 &) ; sleep 7777.5";
    const { data, text } = await run(stray, { timeout_seconds: 1 });
    expect(data).toMatchObject({ timed_out: true, exit_code: 137 });
    expect(text).toContain("For longer work use command_start");
    expect(await countProcesses("sleep 7777")).toBe(0);
  });

  it("kills the whole process tree when the client cancels", async () => {
    const cancel = new AbortController();
    const running = session.call(
      "command_run",
      { command: "touch /tmp/began; sleep 8888.1 & sleep 8888.2" },
      { signal: cancel.signal },
    );
    const gone = expect(running).rejects.toThrow();
    await run("until [ -e /tmp/began ]; do sleep 0.05; done");
    cancel.abort();
    await gone;
    await expect.poll(() => countProcesses("sleep 8888"), { timeout: 60_000 }).toBe(0);
  });

  it("bounds a fork bomb, kills it, and goes on", async () => {
    const { data } = await run(":(){ :|:& };:\nsleep 30", { timeout_seconds: 3 });
    expect(data.timed_out).toBe(true);
    const { data: after } = await run("ls /proc | grep -c '^[0-9]'");
    expect(after.exit_code).toBe(0);
    expect(Number(after.stdout.text)).toBeLessThan(100);
  });
});

describe("the sandbox's walls", () => {
  const canaries: string[] = [];
  afterAll(() => {
    for (const path of canaries) rmSync(path, { recursive: true, force: true });
  });

  it("show nothing of the person's files, and let nothing of them be deleted", async () => {
    // What is there is looked at first; only a root that is the jail's own is then deleted.
    const folder = mkdtempSync(join(homedir(), ".moltbot-canary-"));
    const inProject = join(import.meta.dirname, "..", "..", ".canary-of-a-test");
    canaries.push(folder, inProject);
    writeFileSync(join(folder, "secret"), "canary-4711");
    writeFileSync(inProject, "canary-4711");
    const looked = await run(
      `cat ${join(folder, "secret")} ${inProject}; ls -a ${homedir()}; ls /; id -u; readlink -f /workspace`,
    );
    expect(looked.data.stdout.text).not.toContain("canary");
    expect(looked.data.stdout.text).toContain("workspace");
    expect(looked.data.stderr.text).toContain("No such file or directory");
    const { data: found } = await run(
      "grep -rl canary-4711 / --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr --exclude-dir=opt 2>/dev/null; true",
      { timeout_seconds: 45 },
    );
    // The only place that knows the word is this search's own record.
    expect(found.stdout.text).not.toContain(folder);

    await run("echo precious > /workspace/precious; rm -rf / --no-preserve-root 2>/dev/null; ls /workspace", {
      timeout_seconds: 45,
    });
    expect(readFileSync(join(folder, "secret"), "utf8")).toBe("canary-4711");
    expect(readFileSync(inProject, "utf8")).toBe("canary-4711");
    expect(existsSync(join(import.meta.dirname, "..", "..", "container", "command.sh"))).toBe(true);
    // The bot's own files may be gone; the system and its next start are not.
    const after = await run("mkdir -p /workspace && echo alive");
    expect(after.data.stdout.text).toBe("alive\n");
    // What ran all the while has lost its files under its feet; started anew, it is well.
    await session.restart();
    expect((await session.chat("say: still here")).text).toContain("still here");
  });

  it("hide the environment and the network of the machine", async () => {
    const { port } = new URL(bot.url);
    const { data } = await run(
      `env; cat /proc/*/environ | tr '\\0' '\\n'; curl -sS --noproxy '*' -m 2 http://127.0.0.1:${port}/ ; true`,
    );
    expect(data.stdout.text).not.toContain("CONTAINER_HOST_TOKEN");
    expect(data.stdout.text).not.toContain("OIDC_CLIENT_SECRET");
    expect(data.stdout.text).not.toContain(homedir() === "/home/moltbot" ? "\0" : `HOME=${homedir()}\n`);
    expect(data.stdout.text).not.toContain("This is a Moltbot");
    // The one way to the Worker leads to the bridge and nowhere else.
    const door =
      "curl -sS -o /dev/null -w '%{http_code} ' --noproxy '*' --path-as-is -H 'Host: localhost' http://127.0.0.1:8790";
    const paths = [
      "/",
      "/mcp",
      "/cdn-cgi/local/explorer/api",
      "/bridge/../mcp",
      "/bridge/%2e%2e/mcp",
      "/bridge/model/v1/messages",
    ];
    const { data: codes } = await run(paths.map((path) => `${door}${path}`).join("; "));
    expect(codes.stdout.text.trim().split(" ")).toEqual(["404", "404", "404", "404", "404", "401"]);
  });
});

describe("long commands", () => {
  it("go on after the call, are read from a cursor, and end with their exit code", async () => {
    const { data: started } = await session.call("command_start", {
      command: "for i in 1 2 3; do echo step $i; sleep 0.3; done; echo ü; exit 4",
    });
    let cursor = 0;
    let all = "";
    let status = "running";
    let code: number | undefined;
    for (let turn = 0; turn < 30 && !(status === "done" && code !== undefined); turn++) {
      const { data } = await session.call("command_output", {
        command_id: started.command_id,
        cursor,
        wait_seconds: 5,
      });
      all += data.text;
      ({ cursor, status, exit_code: code } = { cursor: data.cursor, status: data.status, exit_code: data.exit_code });
    }
    expect(all).toBe("step 1\nstep 2\nstep 3\nü\n");
    expect(code).toBe(4);
  });

  it("are listed, and stopped with all they started", async () => {
    const { data: started } = await session.call("command_start", { command: "sleep 9999.1 & sleep 9999.2" });
    const { data: listed } = await session.call("command_list");
    expect(listed.commands[0]).toMatchObject({
      command_id: started.command_id,
      status: "running",
      command: "sleep 9999.1 & sleep 9999.2",
    });
    const { data: stopped } = await session.call("command_stop", { command_id: started.command_id });
    expect(stopped.status).toBe("stopped");
    expect(await countProcesses("sleep 9999")).toBe(0);
    const { data: read } = await session.call("command_output", { command_id: started.command_id });
    expect(read.status).toBe("stopped");
  });

  it("are killed at their timeout", async () => {
    const { data: started } = await session.call("command_start", { command: "sleep 60", timeout_seconds: 1 });
    const status = async () =>
      (await session.call("command_output", { command_id: started.command_id, wait_seconds: 5 })).data.status;
    await expect.poll(status, { timeout: 60_000 }).toBe("timeout");
  });

  it("end their output even in the middle of a character", async () => {
    const { data: started } = await session.call("command_start", { command: "printf 'caf\\xc3'" });
    await session.call("command_output", { command_id: started.command_id, cursor: 3, wait_seconds: 10 });
    await expect
      .poll(async () => (await session.call("command_output", { command_id: started.command_id })).data, {
        timeout: 60_000,
      })
      .toMatchObject({ status: "done", text: "caf\ufffd", cursor: 4, more: false });
  });

  it.each([
    ["command_output", { command_id: `c${"0".repeat(24)}` }, "There is no such command."],
    ["command_stop", { command_id: `c${"0".repeat(24)}` }, "There is no such command."],
    ["command_stop", { command_id: "$(reboot)" }, "must be an id that command_start gave"],
  ])("%s refuses %j", async (name, input, problem) => {
    const { text, isError } = await session.call(name, input);
    expect(isError).toBe(true);
    expect(text).toContain(problem);
  });
});
