import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import { openBridgeDoor } from "../../local/bridge-door.ts";
import { openBrowser } from "../../local/browser/browser.ts";
import type { ProxyNetwork } from "../../local/browser/policy-proxy.ts";
import { freePort } from "../../local/ports.ts";
import { tieWorkerd } from "../../local/workerd.ts";
import type { BridgeLimits } from "../../src/bridge/cdp/limits.ts";

const CONFIG = fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url));
const PORT_PROGRAM = fileURLToPath(new URL("../../container/cdp-port/main.ts", import.meta.url));
const TOKEN = "token-of-the-test";

const versionSchema = z.object({ webSocketDebuggerUrl: z.string() });
const sessionsSchema = z.object({ sessions: z.array(z.object({ sessionId: z.string() })) });

/**
 * How the container's port comes to the bridge: by the Worker's URL with the token, by what the platform intercepts, or
 * by both, when what intercepts knows no WebSockets.
 */
export const WAYS = ["by the token", "by interception", "by interception without WebSockets"] as const;
export type Way = (typeof WAYS)[number];

export interface BridgeStack {
  /** The container's DevTools port, as clients know it. */
  url: string;
  /** The Worker itself, where `/intercepted/<container>/…` is what that container sent to browser.internal. */
  workerUrl: string;
  /** The Worker past the development server's proxy, which no deployment has. Once something was answered. */
  innerUrl(): Promise<string>;
  /** The bridge behind its door; it wants the token. */
  bridgeUrl: string;
  token: string;
  /** Sessions that the platform has now. */
  sessions(): Promise<string[]>;
  /** The DevTools socket of the browser itself, past the bridge; starts the browser. */
  directUrl(): Promise<string>;
  /** Kills every browser that runs, as a crash does. */
  crash(): Promise<void>;
  /** The object loses its memory and its connections. */
  evict(): Promise<void>;
  log(): string[];
  close(): Promise<void>;
}

/** The real bridge with the real binding and port: client → port → door → Worker → object → Chromium. */
export async function bridgeStack(
  options: { limits?: Partial<BridgeLimits>; hosts?: string[]; way?: Way; network?: ProxyNetwork } = {},
): Promise<BridgeStack> {
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-bridge-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(stateDir, { recursive: true, force: true })];
  const close = async () => {
    for (const stop of closing.toReversed()) await stop();
  };
  try {
    const logged: string[] = [];
    const browser = await openBrowser({
      stateDir,
      privateHosts: options.hosts ?? ["localhost"],
      log: (line) => logged.push(line),
      network: options.network,
    });
    closing.push(() => browser.close());
    tieWorkerd();
    const worker = await unstable_startWorker({
      config: CONFIG,
      bindings: {
        TOKEN: { type: "plain_text", value: TOKEN },
        LIMITS: { type: "plain_text", value: JSON.stringify(options.limits ?? {}) },
      },
      dev: {
        server: { hostname: "127.0.0.1", port: 0 },
        persist: false,
        inspector: false,
        watch: false,
        logLevel: "error",
        structuredLogsHandler: ({ message }: { message: string }) => logged.push(message),
      },
    });
    closing.push(() => worker.dispose());
    await worker.ready;
    const workerUrl = await worker.url;
    const door = await openBridgeDoor(Number(workerUrl.port));
    closing.push(() => door.close());
    const bridgeUrl = `http://127.0.0.1:${door.port}/bridge/cdp`;
    const port = await freePort();
    const addresses: Record<Way, Record<string, string>> = {
      "by the token": { CDP_BRIDGE_URL: bridgeUrl, BRIDGE_TOKEN: TOKEN },
      "by interception": { CDP_BRIDGE_URL: `${workerUrl.origin}/intercepted/own`, BRIDGE_TOKEN: "of no use" },
      "by interception without WebSockets": {
        CDP_BRIDGE_URL: `${workerUrl.origin}/intercepted/own/without-sockets`,
        CDP_FALLBACK_URL: bridgeUrl,
        BRIDGE_TOKEN: TOKEN,
      },
    };
    const program = spawn(process.execPath, [PORT_PROGRAM], {
      stdio: "inherit",
      env: { CDP_PORT: String(port), ...addresses[options.way ?? "by the token"] },
    });
    closing.push(async () => {
      const exited = once(program, "exit");
      if (program.exitCode === null && program.kill()) await exited;
    });
    const url = `http://127.0.0.1:${port}`;
    await untilListening(url);
    return {
      url,
      workerUrl: workerUrl.origin,
      async innerUrl() {
        const runtime = worker.raw.runtimes.find(({ mf }) => mf !== undefined);
        if (runtime?.mf === undefined) throw new Error("The Worker does not run.");
        return (await runtime.mf.ready).origin;
      },
      bridgeUrl,
      token: TOKEN,
      async sessions() {
        const response = await fetch(new URL("/sessions", workerUrl));
        return sessionsSchema.parse(await response.json()).sessions.map(({ sessionId }) => sessionId);
      },
      async directUrl() {
        await fetch(`${url}/json/version`);
        const version = await fetch(new URL("/version", workerUrl));
        return versionSchema.parse(await version.json()).webSocketDebuggerUrl;
      },
      crash: () => killBrowsers(stateDir),
      async evict() {
        await fetch(new URL("/evict", workerUrl));
      },
      log: () => logged,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function untilListening(url: string): Promise<void> {
  for (const end = Date.now() + 30_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    // Any answer will do; this one needs no browser.
    const answers = await fetch(`${url}/devtools/nothing`).then(
      () => true,
      () => false,
    );
    if (answers) return;
    if (Date.now() > end) throw new Error("The DevTools port does not listen.");
  }
}

/** Of this stack only: its browsers' arguments name its folder. */
async function killBrowsers(stateDir: string): Promise<void> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(join("/proc", name, "cmdline"), "utf8").catch(() => "");
    if (!line.startsWith("bwrap") || !line.includes(stateDir)) continue;
    try {
      process.kill(Number(name), "SIGKILL");
    } catch {
      // It went with its parent.
    }
  }
}
