import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { headlessBrowser } from "../../local/client/browser.ts";
import { asleepAreas } from "./page-asleep.ts";
import { awakeAreas } from "./page-awake.ts";
import { reach } from "./page-reach.ts";
import { type PageStack, pageStack, type Visit, visit } from "./page-stack.ts";
import { startTelegram, type TelegramStandIn } from "./telegram.ts";

const TOKEN = "1234:the-token-of-telegram";
const SITE = join(import.meta.dirname, "..", "..", "dist", "site");

let telegram: TelegramStandIn;
let stack: PageStack;
let person: Visit;
beforeAll(async () => {
  telegram = await startTelegram(TOKEN);
  stack = await pageStack({ TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_API_URL: telegram.url });
  person = await visit(stack);
});
afterAll(async () => {
  await person?.close();
  await stack?.close();
  await telegram?.close();
});

const of = () => ({ stack, person, telegram });

/** The paths of everything that was built. */
const built = () =>
  readdirSync(SITE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(SITE.length));

const ticket = async () => {
  const cookies = await person.context.cookies(stack.url);
  const { value = "" } = cookies.find(({ name }) => name === "CF_Authorization") ?? {};
  return { cookie: `CF_Authorization=${value}` };
};

const ask = async (path: string, init: RequestInit = {}) =>
  await fetch(`${stack.url}${path}`, { redirect: "manual", ...init });

describe("the files of the page", () => {
  it("are given to nobody who has not signed in", async () => {
    const paths = built();
    expect(paths.length).toBeGreaterThan(3);
    for (const path of [...paths, "/admin/", "/admin/index", "/admin//", "/admin/%2e%2e/admin/index.html"]) {
      const refused = await ask(path);
      const text = await refused.text();
      expect([path, refused.status]).toEqual([path, 401]);
      expect(text).not.toContain("/admin/assets/");
      expect(text.length).toBeLessThan(6_000);
    }
    const forged = await ask("/admin/", { headers: { cookie: "CF_Authorization=x.y.z" } });
    expect(forged.status).toBe(401);
  });

  it("are nowhere else", async () => {
    const inside = built().map((path) => path.slice("/admin".length));
    for (const path of [...inside, "/dist/site/admin/index.html", "/index.html"]) {
      const response = await ask(path, { headers: await ticket() });
      expect([path, response.headers.get("content-type")?.includes("javascript") ?? false]).toEqual([path, false]);
      expect(await response.text()).not.toContain("/admin/assets/");
    }
  });

  it("come with the policy, and are kept by the browser alone", async () => {
    const headers = await ticket();
    const page = await ask("/admin/", { headers });
    expect(page.status).toBe(200);
    expect(page.headers.get("cache-control")).toBe("private, no-cache");
    const unchanged = await ask("/admin/", {
      headers: { ...headers, "if-none-match": page.headers.get("etag") ?? "" },
    });
    expect(unchanged.status).toBe(304);
    for (const path of built().filter((each) => each.startsWith("/admin/assets/"))) {
      const file = await ask(path, { headers });
      expect([path, file.status, file.headers.get("cache-control")]).toEqual([
        path,
        200,
        "private, max-age=31536000, immutable",
      ]);
      expect(Buffer.from(await file.arrayBuffer())).toEqual(readFileSync(join(SITE, path)));
      expect(file.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
      expect(file.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  it("are looked for under /admin/, and only read", async () => {
    const moved = await ask("/admin");
    expect([moved.status, moved.headers.get("location")]).toEqual([308, "/admin/"]);
    const headers = await ticket();
    const missing = await ask("/admin/nothing-there", { headers });
    expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining("There is no such page.")]);
    const posted = await ask("/admin/", { method: "POST", headers });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("send a browser without a ticket to sign in, and to where it wanted to go", async () => {
    const sent = await headlessBrowser().visit(`${stack.url}/admin/`, { headers: { accept: "text/html" } });
    expect(sent.status).toBe(302);
    expect(sent.headers.get("location")).toContain("/cdn-cgi/access/sso/oidc/local/auth?");
  });
});

describe("the page in a browser", () => {
  it("shows how the bot is and who is looking, and starts nothing by it", async () => {
    const { page } = person;
    await page.getByRole("region", { name: "The bot" }).getByText("Asleep").waitFor();
    await page.getByText("owner@moltbot.local").waitFor();
    for (const tile of ["Models today", "Memory"]) await page.getByRole("region", { name: tile }).waitFor();
    expect(await page.title()).toBe("Overview · Moltbot");
    const before = await stack.counts();
    await page.reload();
    await page.getByRole("region", { name: "Memory" }).waitFor();
    expect(await stack.counts()).toEqual(before);
    expect(before).toMatchObject({ starts: 0, running: false });
  });

  asleepAreas(of);

  it("starts the bot, and follows it until it is ready", async () => {
    const { page } = person;
    await page.goto(`${stack.url}/admin/`);
    const bot = page.getByRole("region", { name: "The bot" });
    await bot.getByRole("button", { name: "Start" }).click();
    await bot.getByText("Ready").waitFor({ timeout: 170_000 });
    expect(await stack.counts()).toMatchObject({ running: true });
  });

  awakeAreas(of);
  reach(of);

  it("puts the bot to sleep when the person says so twice", async () => {
    const { page } = person;
    await page.goto(`${stack.url}/admin/`);
    const bot = page.getByRole("region", { name: "The bot" });
    await bot.getByRole("button", { name: "Sleep" }).click();
    const question = page.getByRole("alertdialog", { name: "Put the Moltbot to sleep?" });
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "detached" });
    expect(await stack.counts()).toMatchObject({ running: true });

    await bot.getByRole("button", { name: "Sleep" }).click();
    await question.getByRole("button", { name: "Put to sleep" }).click();
    await bot.getByText("Asleep").waitFor({ timeout: 120_000 });
  });

  it("breaks its policy nowhere, and asks nobody else", () => {
    expect(person.wrongs).toEqual([]);
  });
});
