import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { buildImage } from "../../local/docker/engine.ts";
import { placeholders } from "../../src/bridge/channel/channels.ts";
import { gatewayConfig, gatewayEnv, GATEWAY_PORT } from "../../src/gateway/config.ts";

const TAG = `moltbot-test:${process.pid}`;
const BUILD_WITHIN_MS = 30 * 60_000;

const { imageProblem } = inject("docker");
const docker = async (...argv: string[]) =>
  (await promisify(execFile)("docker", argv, { maxBuffer: 2 ** 26 })).stdout.trim();

const ENV = gatewayEnv({
  gatewayToken: "of-this-test-alone",
  bridgeToken: "of-no-use",
  placeholders: placeholders("of-no-use"),
  slackApiUrl: "http://127.0.0.1:9/",
});
/** The Worker's, with Slack's plugin, but no channel: there is no Slack here that it could speak to. */
const { channels: _channels, ...CONFIG } = gatewayConfig({
  modelBaseUrl: "http://127.0.0.1:9",
  model: { id: "moltbot", api: "anthropic-messages", contextWindow: 100_000, maxTokens: 1000, input: ["text"] },
  allowedOrigins: ["http://localhost"],
  execApproval: "off",
  slack: { plugin: "/opt/moltbot/plugins/node_modules/@openclaw/slack" },
});

/** Runs in the container as its own user, with `input` on its stdin. */
async function inside(id: string, line: string, input?: string): Promise<string> {
  if (input === undefined) return await docker("exec", id, "bash", "-c", line);
  const child = spawn("docker", ["exec", "-i", id, "bash", "-c", line], { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(input);
  expect(await once(child, "close")).toEqual([0, null]);
  return "";
}

describe.skipIf(imageProblem !== undefined)("the image by itself, from whatever base there is", () => {
  let id = "";
  beforeAll(async () => {
    await buildImage(TAG, process.env);
    id = await docker("run", "--detach", TAG);
  }, BUILD_WITHIN_MS);
  afterAll(async () => {
    if (id !== "") await docker("rm", "--force", id);
    await docker("rmi", TAG);
  });

  it("serves the sandbox's port, as its own user", async () => {
    await expect.poll(() => inside(id, "echo > /dev/tcp/127.0.0.1/3000 && id -un").catch(() => "")).toBe("moltbot");
  });

  it("brings the gateway up with the Worker's own configuration, Slack's plugin in it, from the compiled code", async () => {
    await inside(id, `mkdir -p ${ENV.OPENCLAW_STATE_DIR} && cat > ${ENV.OPENCLAW_CONFIG_PATH}`, JSON.stringify(CONFIG));
    const env = Object.entries(ENV).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    const start = `exec openclaw gateway run --port ${GATEWAY_PORT} --bind lan > /tmp/gateway.log 2>&1`;
    await docker("exec", "--detach", ...env, id, "bash", "-c", start);
    const ready = () => inside(id, `curl -s -m 5 http://127.0.0.1:${GATEWAY_PORT}/startupz`).catch(() => "");
    await expect.poll(ready, { timeout: 280_000, interval: 1000 }).toContain('"ok":true');
    expect(await inside(id, "grep 'http server listening' /tmp/gateway.log")).toMatch(/\bslack\b/);
    const mapped = `tr '\\0' '\\n' < /proc/$(pgrep -f openclaw-gateway | head -1)/environ | grep NODE_COMPILE_CACHE`;
    expect(await inside(id, mapped)).toBe("NODE_COMPILE_CACHE=/opt/compile-cache");
  });

  it("has no secret and no leftover of its making in any layer", async () => {
    const history = await docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", TAG);
    expect(history).not.toMatch(/_(KEY|TOKEN|SECRET)=/);
    expect(await inside(id, "ls /opt/moltbot")).not.toMatch(/Dockerfile|bake/);
    const ours = "find /opt/moltbot /home /workspace -name node_modules -prune -o -type f";
    expect(await inside(id, `${ours} \\( -name '*.env' -o -name '.dev.vars*' -o -name '*.pem' \\) -print`)).toBe("");
  });
});
