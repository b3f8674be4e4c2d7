import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { PageStack, Visit } from "./page-stack.ts";
import { expecting } from "./page-things.ts";

/** By the menu's own list, so that an area that comes later is not forgotten. */
async function areas(page: Page): Promise<string[]> {
  return await page
    .getByRole("navigation", { name: "Areas" })
    .getByRole("link")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
}

async function go(page: Page, href: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(href)}`);
  await page.getByRole("status", { name: "Loading" }).waitFor({ state: "detached" });
}

/** Who sees, points and listens how they like: every area, whatever it shows by now. */
export function reach(of: () => { stack: PageStack; person: Visit }): void {
  describe("every area", () => {
    it("can be used without seeing or pointing, as far as rules can tell, in light and dark", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/`);
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      await page.evaluate(axe.source);
      const found: string[] = [];
      const paths = await areas(page);
      expect(paths.length).toBeGreaterThan(10);
      for (const href of paths) {
        await go(page, href);
        for (const theme of ["light", "dark"]) {
          await page.evaluate(`document.documentElement.dataset.theme = "${theme}"`);
          // Only colours differ the second time.
          const rules = theme === "dark" ? `{runOnly: ["color-contrast"]}` : "{}";
          const wrong: string[] = await page.evaluate(
            `axe.run(${rules}).then(({violations}) => violations.flatMap(({id, nodes}) => nodes.map(({html}) => id + ": " + html)))`,
          );
          found.push(...wrong.map((each) => `${href} ${theme}: ${each}`));
        }
      }
      await page.evaluate(`document.documentElement.dataset.theme = "system"`);
      expect(found).toEqual([]);
    });

    it("fits a phone without scrolling sideways, and is reached by the menu there", async () => {
      const { page } = of().person;
      const paths = await areas(page);
      await page.setViewportSize({ width: 360, height: 740 });
      for (const href of paths) {
        await go(page, href);
        expect([href, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([href, expect.any(Number)]);
        expect(
          await page.evaluate(`[...document.querySelectorAll("main *")]
          .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest("pre, .terminal-box, thead"))
          .map((each) => location.hash + " " + each.outerHTML.slice(0, 200))`),
        ).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      }
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("dialog", { name: "Areas" }).getByRole("link", { name: "Journal" }).click();
      await page.getByRole("heading", { level: 1, name: "Journal" }).waitFor();
      await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
      await page.setViewportSize({ width: 1280, height: 900 });
    });

    it("is reached and used by keyboard alone, and shows where it is", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/files`);
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "Files" }).waitFor();
      const focused = () =>
        page.evaluate<{ name: string; outline: boolean }>(`(() => {
          const at = document.activeElement;
          return { name: (at.getAttribute("aria-label") ?? at.textContent).trim(), outline: getComputedStyle(at).outlineStyle !== "none" };
        })()`);
      await page.keyboard.press("Tab");
      expect(await focused()).toEqual({ name: "Skip to the content", outline: true });
      for (let presses = 0; (await focused()).name !== "Journal" && presses < 20; presses++)
        await page.keyboard.press("Tab");
      expect(await focused()).toEqual({ name: "Journal", outline: true });
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Journal" }).waitFor();
      // The next thing after the heading is the first field of the area.
      expect((await focused()).name).toBe("Journal");
      await page.keyboard.press("Tab");
      // A browser forgets what was typed a second ago: on a busy machine a word may not come within that.
      const typed = async () => {
        await page.keyboard.type("Changes");
        return await page.getByLabel("Kind").inputValue();
      };
      await expect.poll(typed, { interval: 1_500 }).toBe("admin");
      expect(await page.evaluate("document.activeElement.tagName")).toBe("SELECT");
    });

    it("says what is wrong when the Moltbot does not answer, and goes on when it does", async () => {
      const { stack, person } = of();
      const { page, context } = person;
      await page.goto(`${stack.url}/admin/#/files`);
      await page.reload();
      await page.getByRole("table", { name: "Files" }).waitFor();
      await expecting(person, "ERR_INTERNET_DISCONNECTED", async () => {
        await context.setOffline(true);
        await page.getByLabel("In the folder").fill("videos");
        await page.getByRole("alert").getByText("The Moltbot cannot be reached.").waitFor();
        await context.setOffline(false);
      });
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("table", { name: "Files" }).waitFor();
    });
  });
}
