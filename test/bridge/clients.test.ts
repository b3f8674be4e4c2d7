import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { connect } from "puppeteer-core";
import { type BridgeStack, bridgeStack } from "./stack.ts";
import { type Pages, servePages } from "./pages.ts";

let stack: BridgeStack;
let pages: Pages;

beforeAll(async () => {
  pages = await servePages();
  stack = await bridgeStack();
});

afterAll(async () => {
  await stack?.close();
  await pages?.close();
});

describe("an unmodified Playwright", () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    browser = await chromium.connectOverCDP(stack.url);
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterAll(() => browser?.close());

  it("goes to pages, back and forth", async () => {
    expect((await page.goto(pages.url))?.status()).toBe(200);
    expect(await page.title()).toBe("Start");
    await page.click("text=form");
    expect(page.url()).toBe(`${pages.url}/form`);
    await page.goBack();
    expect(await page.textContent("h1")).toBe("Start");
    await page.goForward();
    await page.reload();
    expect(await page.title()).toBe("Form");
  });

  it("fills and sends a form", async () => {
    await page.goto(`${pages.url}/form`);
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("Colour").selectOption("blue");
    await page.getByLabel("Agree").check();
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "Send" }).click();
    await page.waitForURL(/\/sent/);
    expect(new URL(page.url()).search).toContain("name=Ada&colour=blue&agree=yes");
  });

  it("answers dialogs", async () => {
    await page.goto(pages.url);
    page.once("dialog", (dialog) => void dialog.accept());
    await page.click("#alert");
    expect(await page.title()).toBe("answered true");
    page.once("dialog", (dialog) => void dialog.dismiss());
    await page.click("#alert");
    expect(await page.title()).toBe("answered false");
  });

  it("follows a popup", async () => {
    const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#popup")]);
    await popup.waitForLoadState();
    expect(await popup.title()).toBe("Popup");
    await popup.close();
  });

  it("uploads 3 MB from memory", async () => {
    await page.goto(`${pages.url}/form`);
    await page.setInputFiles("#file", {
      name: "a.bin",
      mimeType: "application/octet-stream",
      buffer: Buffer.alloc(3_000_000, 7),
    });
    await expect.poll(() => page.title()).toBe("size 3000000");
  });

  it("hears of a download, of which nothing is written", async () => {
    await page.goto(pages.url);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
    expect(download.suggestedFilename()).toBe("file.txt");
    expect(await download.failure()).toBe("canceled");
    // What it would have held is had through the page.
    expect(await page.evaluate(async (url) => (await fetch(url)).text(), download.url())).toBe("the file's content");
  });

  it("routes, keeps cookies, evaluates, takes snapshots", async () => {
    await context.addCookies([{ name: "a", value: "b", url: pages.url }]);
    expect(await context.cookies()).toMatchObject([{ name: "a", value: "b" }]);
    await page.route("**/routed", (route) => route.fulfill({ body: "from the client" }));
    expect(await page.evaluate(async () => (await fetch("/routed")).text())).toBe("from the client");
    expect(await page.locator("body").ariaSnapshot()).toContain('heading "Start"');
    await page.setViewportSize({ width: 400, height: 300 });
    expect(await page.evaluate<number>("innerWidth")).toBe(400);
  });

  it("makes a PDF", async () => {
    expect((await page.pdf()).subarray(0, 5).toString()).toBe("%PDF-");
  });

  it("carries a message of 30 MB each way", async () => {
    const text = "x".repeat(30_000_000);
    expect(await page.evaluate((given) => given.length, text)).toBe(30_000_000);
    expect((await page.evaluate(() => "y".repeat(30_000_000))).length).toBe(30_000_000);
  });

  it("takes a PNG of more than 18 MB", async () => {
    await page.setViewportSize({ width: 2700, height: 2300 });
    await page.goto(`${pages.url}/noise`);
    await expect.poll(() => page.title()).toBe("drawn");
    const png = await page.screenshot();
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.byteLength).toBeGreaterThan(18_000_000);
  });
});

describe("an unmodified Puppeteer", () => {
  it("drives pages, and leaves the browser to others when it closes it", async () => {
    const [one, other] = await Promise.all([connect({ browserURL: stack.url }), connect({ browserURL: stack.url })]);
    const page = await one.newPage();
    await page.goto(`${pages.url}/form`);
    await page.type("input[name=name]", "Grace");
    await Promise.all([page.waitForNavigation(), page.click("form button")]);
    expect(page.url()).toContain("name=Grace");
    expect(
      Buffer.from(await page.screenshot())
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
    await one.close();
    const another = await other.newPage();
    expect(await another.evaluate(() => 6 * 7)).toBe(42);
    await another.close();
    await other.disconnect();
  });
});

describe("an unmodified chrome-devtools-mcp", () => {
  it("opens a page, fills its form and takes a picture", async () => {
    const client = new Client({ name: "test", version: "1.0.0" });
    const root = dirname(createRequire(import.meta.url).resolve("chrome-devtools-mcp/package.json"));
    const program = join(root, "build", "src", "bin", "chrome-devtools-mcp.js");
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [program, "--browserUrl", stack.url, "--no-usage-statistics"],
        stderr: "ignore",
      }),
    );
    try {
      const call = async (name: string, input: Record<string, unknown>) => {
        const { content, isError } = await client.callTool({ name, arguments: input });
        const blocks = Array.isArray(content) ? content : [];
        const text = blocks.map((block) => (block.type === "text" ? block.text : "")).join("\n");
        expect(isError ?? false, text).toBe(false);
        return { text, images: blocks.filter((block) => block.type === "image").length };
      };
      const opened = await call("new_page", { url: `${pages.url}/form` });
      const pageId = Number(/^(\d+): .*\/form/m.exec(opened.text)?.[1]);
      const { text } = await call("take_snapshot", { pageId });
      const uid = /uid=(\S+) textbox "Name/.exec(text)?.[1];
      await call("fill", { pageId, uid, value: "Joan" });
      const script = { pageId, function: '() => document.querySelector("[name=name]").value' };
      expect((await call("evaluate_script", script)).text).toContain("Joan");
      expect((await call("take_screenshot", { pageId })).images).toBe(1);
    } finally {
      await client.close();
    }
  });
});
