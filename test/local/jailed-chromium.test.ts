import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { chromium, type Browser } from "playwright-core";
import { openBrowser } from "../../local/browser/browser.ts";

const SECRET = "what only the user may read";

let folder: string;
let proxy: { close(): Promise<void> };
let program: ReturnType<typeof spawn>;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "moltbot-chromium-"));
  await writeFile(join(folder, "secret.txt"), SECRET);
  proxy = await openBrowser({ stateDir: join(folder, "state"), privateHosts: [], log: () => undefined });
  // As wrangler starts it; but spoken to directly, past the bridge and its screen.
  program = spawn(
    "/bin/sh",
    [
      join(folder, "state", "chromium.sh"),
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${join(folder, "profile")}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  browser = await chromium.connectOverCDP(await endpoint());
});

afterAll(async () => {
  await browser?.close();
  program?.kill("SIGKILL");
  await proxy?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

async function endpoint(): Promise<string> {
  let said = "";
  for await (const chunk of program.stderr ?? []) {
    said += String(chunk);
    const found = /listening on (ws:\S+)/.exec(said)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`The browser does not start: ${said}`);
}

it("shows a client that may do everything none of the user's files", async () => {
  const page = await (await browser.newContext()).newPage();
  for (const path of [join(folder, "secret.txt"), "/etc/passwd", join(process.cwd(), "package.json")]) {
    await page.goto(`file://${path}`).catch(() => undefined);
    // Where there is no such file the browser goes on to a page that says so.
    const shown = await vi.waitFor(() => page.evaluate<string>("document.documentElement.innerText"));
    expect(shown).not.toMatch(/what only|root:|moltbot-worker/);
  }
  await page.setContent("<input type=file onchange='this.files[0].text().then(t => document.title = t)'>");
  const session = await page.context().newCDPSession(page);
  const { root } = await session.send("DOM.getDocument");
  const { nodeId } = await session.send("DOM.querySelector", { nodeId: root.nodeId, selector: "input" });
  await session.send("DOM.setFileInputFiles", { nodeId, files: [join(folder, "secret.txt")] }).catch(() => undefined);
  expect(await page.title()).not.toContain(SECRET);
});

it("writes nothing that the user would find", async () => {
  const page = await (await browser.newContext()).newPage();
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder, eventsEnabled: true });
  const ended = new Promise((resolve) => {
    session.on("Browser.downloadProgress", ({ state }) => state !== "inProgress" && resolve(state));
  });
  await page.goto("about:blank");
  await page.evaluate(
    "Object.assign(document.createElement('a'), { href: URL.createObjectURL(new Blob(['x'])), download: 'x.txt' }).click()",
  );
  await ended;
  expect(await readdir(folder)).not.toContain("x.txt");
});

it("ends as a whole when it is killed", async () => {
  expect(await alive()).toBeGreaterThan(1);
  const exited = once(program, "exit");
  program.kill("SIGKILL");
  await exited;
  await expect.poll(alive, { timeout: 60_000 }).toBe(0);
});

/** How many processes have the browser's profile in their command line. */
async function alive(): Promise<number> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(names.map((name) => readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "")));
  return lines.filter((line) => line.includes(join(folder, "profile"))).length;
}
