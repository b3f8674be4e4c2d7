import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { z } from "zod";
import { type Stack, startStack } from "../../local/stack.ts";

const countsSchema = z.object({ renewals: z.number(), starts: z.number(), running: z.boolean() });

const HOSTS = ["localhost", "ui.localhost", "127.0.0.1"];

export interface PageStack {
  url: string;
  password: string;
  /** The whole Moltbot, for what is done beside the page. */
  stack: Stack;
  browser: Browser;
  /** What a container cost so far. */
  counts(): Promise<z.output<typeof countsSchema>>;
  close(): Promise<void>;
}

/** The real Worker and sign-in of one machine, and a real browser beside it, in the jail that the stack made for its own. */
export async function pageStack(variables: Record<string, string> = {}): Promise<PageStack> {
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-page-"));
  const stack = await startStack({
    stateDir,
    entry: join(import.meta.dirname, "..", "auth", "fixture", "worker.ts"),
    // The Worker, and the page to sign in.
    browserHosts: HOSTS,
    variables,
  });
  const program = spawn(
    "/bin/sh",
    [
      join(stateDir, "browser", "chromium.sh"),
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${join(stateDir, "person")}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const close = async () => {
    program.kill("SIGKILL");
    await stack.close();
    await rm(stateDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  try {
    const browser = await chromium.connectOverCDP(await endpointOf(program.stderr));
    return {
      url: stack.url,
      password: readFileSync(stack.passwordFile, "utf8").trim(),
      stack,
      browser,
      counts: async () => countsSchema.parse(await (await fetch(`${stack.url}/test/counts`)).json()),
      async close() {
        await browser.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function endpointOf(stderr: AsyncIterable<Buffer>): Promise<string> {
  let said = "";
  for await (const chunk of stderr) {
    said += String(chunk);
    const found = /listening on (ws:\S+)/.exec(said)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`The browser does not start: ${said}`);
}

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** Everything the page did that it should not: breaches of its policy, errors, requests to elsewhere. */
  wrongs: string[];
  close(): Promise<void>;
}

/** A person who opens the admin page and signs in. */
export async function visit({ browser, url, password }: PageStack, options: { width?: number } = {}): Promise<Visit> {
  const { width = 1280 } = options;
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  const page = await context.newPage();
  const wrongs: string[] = [];
  page.on("pageerror", (error) => wrongs.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") wrongs.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith("http") && !HOSTS.includes(asked.hostname)) wrongs.push(`request: ${request.url()}`);
  });
  await context.exposeFunction("reportBreach", (breach: string) => wrongs.push(`policy: ${breach}`));
  await context.addInitScript(`document.addEventListener("securitypolicyviolation", (event) =>
    reportBreach([event.effectiveDirective, event.blockedURI, event.sourceFile].join(" ")))`);
  await page.goto(`${url}/admin/`);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  return { page, context, wrongs, close: () => context.close() };
}
