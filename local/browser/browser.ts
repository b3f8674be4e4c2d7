import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromiums, type Chromium } from "./chromium.ts";
import { fontsConf, jailedChromium } from "./jailed-chromium.ts";
import { openPolicyProxy, type ProxyNetwork } from "./policy-proxy.ts";
import { seedWranglerCache } from "./wrangler-cache.ts";

/** A browser that cannot say its version by then does not work. */
const VERSION_WITHIN_MS = 20_000;

/**
 * Makes the Worker's browser binding start a Chromium of this machine, in a jail and behind the policy proxy. Of a
 * process it holds for the last one that was opened: wrangler finds it by an environment variable.
 */
export async function openBrowser(options: {
  stateDir: string;
  privateHosts: readonly string[];
  log: (line: string) => void;
  network?: ProxyNetwork | undefined;
}): Promise<{ close(): Promise<void> }> {
  const { stateDir, log } = options;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const proxy = await openPolicyProxy(options);
  try {
    const refused: string[] = [];
    for await (const chromium of chromiums(process.env)) {
      const program = await programFor(chromium, stateDir, proxy.port);
      const complaint = await tried(program.path);
      if (complaint === undefined) {
        log(`browser: ${chromium.path} (${chromium.from})`);
        await seedWranglerCache(join(stateDir, "cache"), program.text);
        return proxy;
      }
      const passed = `${chromium.path} does not start: ${complaint}`;
      log(`browser: ${passed}`);
      refused.push(passed);
    }
    throw new Error(`No Chromium starts here. Set CHROME_PATH to one that does.\n${refused.join("\n")}`);
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

async function programFor(chromium: Chromium, stateDir: string, proxyPort: number) {
  const fonts = join(stateDir, "fonts.conf");
  await writeFile(fonts, fontsConf(chromium));
  const text = await jailedChromium({ chromium, proxyPort, fonts });
  const path = join(stateDir, "chromium.sh");
  await writeFile(path, text, { mode: 0o700 });
  return { path, text };
}

/** Undefined when it starts, else what it says. A snap, for one, is a program that does not start in a jail. */
async function tried(path: string): Promise<string | undefined> {
  const child = spawn("/bin/sh", [path, "--version"], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: VERSION_WITHIN_MS,
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const [code] = await once(child, "close");
  return code === 0 ? undefined : complaint.trim().slice(-500) || `exit code ${String(code)}`;
}
