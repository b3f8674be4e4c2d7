import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect, type Session, signIn } from "../e2e/client.ts";
import { CANARY } from "./setup.ts";

const { bot } = inject("docker");
let session: Session;

/** A command in the container, by the tool that clients have. */
async function run(command: string): Promise<string> {
  const { text, data } = await session.call("command_run", { command });
  expect(data.exit_code, text).toBe(0);
  return String(data.stdout.text).trim();
}

const status = async () => (await session.call("bot_status")).data;

describe.skipIf(bot === undefined)("the deployment's image, as ctx.container", () => {
  beforeAll(async () => {
    if (bot !== undefined) session = await connect(bot, await signIn(bot));
  });
  afterAll(() => session?.close());

  it("answers a chat through the gateway, whose model is at model.internal", async () => {
    const answer = await session.chat("say: from the image", { conversation: "docker" });
    expect(answer.data.status).toBe("done");
    expect(answer.text).toContain("from the image");
    expect(await status()).toMatchObject({ phase: "ready" });
    const config = await run("cat ~/.openclaw/openclaw.json");
    expect(JSON.parse(config)).toMatchObject({
      models: { providers: { bridge: { baseUrl: "http://model.internal" } } },
    });
  });

  it("has its own user, who can change nothing of the gateway's code", async () => {
    expect(await run("id -un && id -u")).toMatch(/^moltbot\n[1-9]\d*$/);
    const writable = "/opt/moltbot /opt/node /container-server /etc/passwd /usr/local/bin";
    expect(await run(`find ${writable} -writable -not -type l 2>/dev/null | head`)).toBe("");
  });

  it("has the pinned Node and gateway, the compiled code, ffmpeg, and the plugins of Discord and Slack", async () => {
    expect(await run("node --version")).toBe("v24.21.0");
    expect(await run("openclaw --version")).toContain("2026.9.6");
    expect(Number(await run("find /opt/compile-cache -type f | wc -l"))).toBeGreaterThan(1000);
    expect(await run("ffmpeg -hide_banner -encoders 2>/dev/null | grep -c libx264")).not.toBe("0");
    expect(await run("cd /opt/moltbot/plugins/node_modules/@openclaw && ls")).toBe("discord\nslack");
  });

  it("runs a command for the bot and keeps its memory; both are there after the container is gone", async () => {
    const word = crypto.randomUUID().replaceAll("-", "");
    const answer = await session.chat(`run: echo ${word} | tr a-z A-Z\nremember: the word is ${word}`, {
      conversation: "docker",
    });
    expect(answer.text).toContain(word.toUpperCase());
    const before = await run("hostname && cat /proc/sys/kernel/random/boot_id && stat -c %Z /proc/1");
    const slept = await session.call("bot_sleep");
    expect(slept.isError, slept.text).toBe(false);
    await expect.poll(async () => (await status()).phase).toBe("asleep");
    const found = await session.call("memory_search", { query: word });
    expect(found.text.replaceAll("**", "")).toContain(word);
    expect((await status()).phase).toBe("asleep");
    await session.chat("say: awake again", { conversation: "docker" });
    expect(await run("cat MEMORY.md")).toContain(word);
    expect(await run("hostname && cat /proc/sys/kernel/random/boot_id && stat -c %Z /proc/1")).not.toBe(before);
  });

  it("comes up again after its container was killed, which its gateway had no time to note", async () => {
    const { stdout } = await promisify(execFile)("docker", ["ps", "--format", "{{.ID}} {{.Names}}"]);
    const running = stdout.split("\n").map((line) => line.split(" "));
    const [id = ""] =
      running.find(([, name = ""]) => name.startsWith(bot?.containers ?? "") && !name.endsWith("-proxy")) ?? [];
    await promisify(execFile)("docker", ["kill", id]);
    const answer = await session.chat("say: back again", { conversation: "docker" });
    expect(answer.text).toContain("back again");
    expect(await run("cat MEMORY.md")).toContain("the word is");
  });

  it("holds no secret: not in its environment, its processes, its files", async () => {
    // The pattern is not what it looks for, which would be found in this command's own words.
    const pattern = CANARY.replace("c", "[c]");
    const places = "/workspace /home/moltbot /opt/moltbot/bin /opt/moltbot/keeper /etc /tmp /run";
    expect(
      await run(`cat /proc/[0-9]*/{environ,cmdline} 2>/dev/null | tr '\\0' '\\n' | grep -c '${pattern}' || true`),
    ).toBe("0");
    expect(await run(`grep -rl '${pattern}' ${places} 2>/dev/null | head || true`)).toBe("");
  });

  it("reaches the bridge by name, the list's hosts, and nothing else", async () => {
    const code = (url: string) => run(`curl -s -o /dev/null -m 20 -w '%{http_code}' ${url} || true`);
    expect(await code("http://bridge.internal/bridge/nothing")).toBe("404");
    expect(await code("http://169.254.169.254/latest/meta-data/")).toBe("403");
    expect(await code("http://10.0.0.1/")).toBe("403");
    expect(await run("curl -s -m 20 http://not-on-the-list.example/ || true")).toContain("EGRESS_ALLOW");
    expect(await run("curl -s -m 20 https://not-on-the-list.example/ || true")).toContain("EGRESS_ALLOW");
  });

  it("is woken by a command, right after it went to sleep", async () => {
    expect((await session.call("bot_sleep")).isError).toBe(false);
    expect(await run("echo up")).toBe("up");
  });

  it("has a browser on loopback, by browser.internal", async () => {
    await session.chat("say: up", { conversation: "docker" });
    const version = await run("curl -s -m 60 http://127.0.0.1:9222/json/version");
    expect(JSON.parse(version)).toMatchObject({
      webSocketDebuggerUrl: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:9222\//),
    });
    await run("cd /tmp && node /opt/moltbot/skills/browser/screenshot.ts data:text/html,hello /tmp/shot.png");
    expect(await run("file -b --mime-type /tmp/shot.png")).toBe("image/png");
  });
});
