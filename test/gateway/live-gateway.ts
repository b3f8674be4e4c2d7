import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startModelStandIn } from "../../local/model/standin.ts";
import { freePort } from "../../local/ports.ts";
import { placeholders } from "../../src/bridge/channel/channels.ts";
import { gatewayConfig, gatewayEnv } from "../../src/gateway/config.ts";

const OPENCLAW = fileURLToPath(new URL("../../container/node_modules/openclaw/openclaw.mjs", import.meta.url));
const READY_MS = 90_000;

export interface LiveGateway {
  port: number;
  token: string;
  workspace: string;
  /** Starts it when it does not run; resolves when it can be used. */
  ready(): Promise<void>;
  /** SIGKILL, as a container that is taken away. */
  kill(): Promise<void>;
  log(): string;
  close(): Promise<void>;
}

/**
 * A real gateway on this machine, outside any jail: so its agent gets no tools at all, whatever a test makes the
 * model ask for. `bind` "lan" makes it see other addresses of the machine as strangers.
 */
export async function liveGateway(
  options: { bind?: "loopback" | "lan"; origins?: string[] } = {},
): Promise<LiveGateway> {
  const home = mkdtempSync(join(tmpdir(), "moltbot-gateway-"));
  const workspace = join(home, "workspace");
  const state = join(home, ".openclaw");
  const port = await freePort();
  const model = await startModelStandIn({ log: () => {} });
  const token = crypto.randomUUID();
  const bind = options.bind ?? "loopback";
  const base = gatewayConfig({
    modelBaseUrl: model.url,
    model: {
      id: "stand-in",
      api: "anthropic-messages",
      contextWindow: 200_000,
      maxTokens: 8_192,
      input: ["text", "image"],
    },
    allowedOrigins: options.origins ?? ["http://localhost:8787"],
    execApproval: "off",
  });
  const config = {
    ...base,
    gateway: { ...Object(base["gateway"]), port, bind },
    agents: { defaults: { ...Object(Object(base["agents"]).defaults), workspace } },
    tools: { deny: ["*", "exec", "process", "write", "edit", "apply_patch"], elevated: { enabled: false } },
  };
  for (const folder of [workspace, state, join(home, "tmp")]) mkdirSync(folder, { recursive: true });
  const configPath = join(state, "openclaw.json");
  writeFileSync(configPath, JSON.stringify(config));
  const env = {
    ...gatewayEnv({ gatewayToken: token, bridgeToken: "bridge", placeholders: placeholders("bridge") }),
    HOME: home,
    OPENCLAW_STATE_DIR: state,
    OPENCLAW_CONFIG_PATH: configPath,
    TMPDIR: join(home, "tmp"),
    PATH: "/usr/bin:/bin",
  };
  const logFile = join(home, "gateway.log");
  let child: ChildProcess | undefined;
  let starting: Promise<void> | undefined;

  function alive(): boolean {
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async function start(): Promise<void> {
    if (!alive()) {
      const out = openSync(logFile, "a");
      const argv = [OPENCLAW, "gateway", "run", "--port", String(port), "--bind", bind];
      child = spawn(process.execPath, argv, { cwd: workspace, env, stdio: ["ignore", out, out] });
    }
    for (const end = Date.now() + READY_MS; Date.now() < end; await sleep(100)) {
      if (!alive()) throw new Error(`The gateway ended: ${readFileSync(logFile, "utf8").slice(-2_000)}`);
      const answer = await fetch(`http://127.0.0.1:${port}/startupz`).catch(() => undefined);
      if (answer?.ok) return;
    }
    throw new Error("The gateway was not ready in time.");
  }

  async function kill(): Promise<void> {
    if (!child || !alive()) return;
    const gone = new Promise((resolve) => child?.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  return {
    port,
    token,
    workspace,
    ready: () => (starting ??= start().finally(() => (starting = undefined))),
    kill,
    log: () => readFileSync(logFile, "utf8"),
    async close() {
      await kill();
      await model.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
