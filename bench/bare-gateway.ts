import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../local/ports.ts";
import { placeholders } from "../src/bridge/channel/channels.ts";
import { gatewayEnv } from "../src/gateway/config.ts";

const CONTAINER = fileURLToPath(new URL("../container", import.meta.url));
const READY_MS = 120_000;

export interface BareGateway {
  /** Starts it; resolves when it can be used. */
  ready(): Promise<void>;
  /** Ends it in order, which is when Node writes what it compiled. */
  stop(): Promise<void>;
  close(): void;
}

/**
 * `openclaw gateway run` on this machine with nothing around it, on a copy of what a bot that sleeps has: the same settings,
 * memory and conversations. Outside any jail, so its agent has no tools, and nobody speaks to it. `stateDir`: that bot's.
 */
export async function bareGateway(stateDir: string): Promise<BareGateway> {
  const folder = mkdtempSync(join(tmpdir(), "moltbot-bare-"));
  const [id = ""] = readdirSync(join(stateDir, "sandboxes"));
  for (const part of ["home", "workspace"])
    cpSync(join(stateDir, "sandboxes", id, part), join(folder, part), { recursive: true });
  const home = join(folder, "home");
  const workspace = join(folder, "workspace");
  const port = await freePort(undefined);
  const configPath = join(home, ".openclaw/openclaw.json");
  const config = JSON.parse(readFileSync(configPath, "utf8"));
  config.agents.defaults.workspace = workspace;
  config.skills.load.extraDirs = [join(CONTAINER, "skills")];
  config.gateway = { ...config.gateway, port, bind: "loopback" };
  config.tools = { deny: ["*"], elevated: { enabled: false } };
  writeFileSync(configPath, JSON.stringify(config));
  const env = {
    ...gatewayEnv({ gatewayToken: "of-the-bench-alone", bridgeToken: "none", placeholders: placeholders("none") }),
    HOME: home,
    OPENCLAW_STATE_DIR: join(home, ".openclaw"),
    OPENCLAW_CONFIG_PATH: configPath,
    TMPDIR: folder,
    PATH: "/usr/bin:/bin",
  };
  const argv = [join(CONTAINER, "node_modules/openclaw/openclaw.mjs"), "gateway", "run", "--port", String(port)];
  let child: ReturnType<typeof start> | undefined;

  function start() {
    return spawn(process.execPath, argv, { cwd: workspace, env, stdio: "ignore" });
  }

  return {
    async ready() {
      child = start();
      for (const end = Date.now() + READY_MS; Date.now() < end; await sleep(100)) {
        if (child.exitCode !== null) throw new Error(`The bare gateway ended with exit code ${child.exitCode}.`);
        const answer = await fetch(`http://127.0.0.1:${port}/startupz`).catch(() => undefined);
        if (answer?.ok) return;
      }
      throw new Error("The bare gateway was not ready in time.");
    },
    async stop() {
      if (!child || child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
    close() {
      child?.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
