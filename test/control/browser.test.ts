import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrowserContext, Locator, Page, WebSocket } from "playwright-core";
import { z } from "zod";
import { isPersonsFrame } from "../../src/control/activity.ts";
import { type PageStack, pageStack } from "../admin/page-stack.ts";

/** On a busy machine a start takes minutes. */
const START_MS = 240_000;

const devicesSchema = z.object({ pending: z.array(z.object({ requestId: z.string() })) });
const statusSchema = z.object({ gateway: z.object({ phase: z.string(), starts: z.number() }) });

let bot: PageStack;
let context: BrowserContext;
/** The Control UI, and the Worker's own page on its other host. */
let page: Page;
let admin: Page;
/** Everything that came to the browser. */
const received: string[] = [];
const sent: string[] = [];
const sockets: WebSocket[] = [];
beforeAll(async () => {
  bot = await pageStack();
  context = await bot.browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  page.on("response", (response) => {
    received.push(JSON.stringify(response.headers()));
    response.text().then(
      (text) => received.push(text),
      // A redirect has none.
      () => undefined,
    );
  });
  page.on("websocket", (socket) => {
    sockets.push(socket);
    socket.on("framesent", ({ payload }) => sent.push(String(payload)));
    socket.on("framereceived", ({ payload }) => received.push(String(payload)));
  });
  admin = await context.newPage();
}, START_MS);
afterAll(() => bot?.close());

/** The sign-in page may know the browser already, from the other host. */
async function signIn(at: Page, there: Locator): Promise<void> {
  const password = at.getByLabel("Password");
  await password.or(there).first().waitFor();
  if (!(await password.isVisible())) return;
  await password.fill(bot.password);
  await at.getByRole("button", { name: "Sign in" }).click();
  await there.waitFor();
}

/** Asks the Worker's own pages' routes, as that page does. */
async function ask(path: string, body?: unknown): Promise<unknown> {
  return await admin.evaluate(
    async ([to, json]) => {
      const post = { method: "POST", headers: { "content-type": "application/json" }, body: json };
      return await (await fetch(`/admin/api/${to}`, json === "" ? {} : post)).json();
    },
    [path, body === undefined ? "" : JSON.stringify(body)] as const,
  );
}

async function gateway(): Promise<{ phase: string; starts: number }> {
  return statusSchema.parse(await ask("status")).gateway;
}

async function say(message: string): Promise<void> {
  const box = page.locator(".agent-chat__composer-input-row textarea");
  await box.waitFor({ timeout: START_MS });
  await box.fill(message);
  await box.press("Enter");
}

/** A start that failed, as the page would be told of it: nothing that stands in a log is anything but text. */
async function showsWhatFailed(): Promise<void> {
  const hostile = `</pre><img src="x" onerror="hacked = 1"><script>hacked = 1</script>`;
  const told = { phase: "failed", starts: 3, reason: `It ended: ${hostile}`, log: [hostile, "line two"] };
  await page.route("**/_moltbot/status", (route) => route.fulfill({ json: told }));
  await page.getByRole("button", { name: "Try again" }).waitFor();
  expect(await page.locator("#reason").textContent()).toBe(told.reason);
  expect(await page.locator("#log").textContent()).toBe(`${hostile}\nline two`);
  expect(await page.evaluate<string>("`${document.images.length} ${typeof hacked}`")).toBe("0 undefined");
  await page.unroute("**/_moltbot/status");
}

/** The page that waits has gone by itself. */
async function gatewaysPage(): Promise<void> {
  await page.locator(".agent-chat__composer-input-row textarea").waitFor({ timeout: START_MS });
  expect(await page.locator("[data-waiting]").count()).toBe(0);
}

describe("a person at the Control UI", () => {
  it(
    "signs in, sees the start, is let in by the admin page, and chats",
    async () => {
      await page.goto(`${bot.stack.controlUrl}/`);
      await signIn(page, page.getByText("The Moltbot wakes up."));
      expect(["Put the memory back", "Start the gateway"]).toContain(
        await page.locator("li[aria-current]").textContent(),
      );
      await showsWhatFailed();
      await gatewaysPage();

      await admin.goto(`${bot.url}/admin/`);
      await signIn(admin, admin.getByRole("heading", { level: 1, name: "Overview" }));
      // On one machine every connection comes from loopback, and the gateway lets such a browser in by itself.
      const { pending } = devicesSchema.parse(await ask("devices"));
      for (const { requestId } of pending) await ask("devices/approve", { requestId });

      await say("say: hello from the stand-in");
      await page.getByText("[stand-in model, not an AI]").first().waitFor({ timeout: 120_000 });
      await expect.poll(gateway).toMatchObject({ phase: "ready", starts: 1 });
    },
    3 * START_MS,
  );

  it("does not count as somebody at it when the page is only open", async () => {
    // What the page does because of the chat is over by then.
    await wait(30_000);
    const before = sent.length;
    await wait(75_000);
    const byItself = sent.slice(before);
    expect(byItself.filter((frame) => isPersonsFrame(frame)).map((frame) => frame.slice(0, 200))).toEqual([]);
  });

  it(
    "keeps the page when the bot sleeps, wakes nothing by that, and goes on after a reload",
    async () => {
      const { starts } = await gateway();
      await ask("bot/sleep", {});
      await expect.poll(async () => (await gateway()).phase, { timeout: 120_000 }).toBe("asleep");
      // The page tries to connect again, in vain and at no cost.
      const before = sockets.length;
      await expect.poll(() => sockets.length, { timeout: 60_000 }).toBeGreaterThan(before + 1);
      expect(await gateway()).toMatchObject({ phase: "asleep", starts });
      expect((await bot.counts()).running).toBe(false);

      await page.reload();
      const wake = page.getByRole("button", { name: "Wake it" });
      // Whether a reload counts as by hand is the browser's to say.
      if (await wake.isVisible()) await wake.click();
      await gatewaysPage();
      // It is known still, and so is what was said.
      await page.getByText("hello from the stand-in").first().waitFor({ timeout: 120_000 });
      await say("say: good morning");
      await page
        .getByText(/good morning/)
        .last()
        .waitFor({ timeout: 120_000 });
      await expect
        .poll(() => page.getByText("[stand-in model, not an AI]").count(), { timeout: 120_000 })
        .toBeGreaterThan(1);
      // A gateway that is busy may miss a look.
      await expect.poll(gateway).toMatchObject({ phase: "ready", starts: starts + 1 });
    },
    3 * START_MS,
  );

  it("never gets the gateway's token, nor the gateway's page anything of the Worker's", async () => {
    const { token } = z
      .object({ token: z.string().min(40) })
      .parse(await (await fetch(`${bot.url}/test/gateway`)).json());
    expect(received.length).toBeGreaterThan(20);
    expect(received.filter((text) => text.includes(token))).toEqual([]);
    const stored = await page.evaluate<string>(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
    );
    expect(stored).not.toContain(token);
    expect(stored).not.toContain("CF_Authorization");
    // From the gateway's page to the Worker's routes, as a page out of the container would try it.
    const tried = await page.evaluate(async (url) => {
      const one = async (path: string, init?: RequestInit) =>
        await fetch(`${url}${path}`, { credentials: "include", ...init }).then(
          ({ status }) => String(status),
          () => "unreadable",
        );
      const socket = new Promise<string>((resolve) => {
        const made = new WebSocket(`${url.replace("http", "ws")}/admin/terminal`);
        made.addEventListener("open", () => resolve("open"));
        made.addEventListener("error", () => resolve("refused"));
      });
      return [
        await one("/admin/api/me"),
        await one("/admin/api/bot/sleep", { method: "POST", body: "{}" }),
        await socket,
      ];
    }, bot.url);
    expect(tried).toEqual(["unreadable", "unreadable", "refused"]);
    await expect.poll(async () => (await gateway()).phase).toBe("ready");
  });
});
