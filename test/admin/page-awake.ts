import { describe, expect, it } from "vitest";
import { addJob, knock, letIn } from "./page-things.ts";
import type { PageStack, Visit } from "./page-stack.ts";
import type { TelegramStandIn } from "./telegram.ts";

/** What the running gateway tells. The bot is ready. */
export function awakeAreas(of: () => { stack: PageStack; person: Visit; telegram: TelegramStandIn }): void {
  describe("while the bot is awake", () => {
    it("lets a device in that asks for it, keeps another one out, and removes the first", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/devices`);
      await page.getByText("No device is waiting.").waitFor();
      const [welcome, unwelcome] = [await knock(stack), await knock(stack)];
      const waiting = page.getByRole("list", { name: "Waiting devices" }).getByRole("listitem");
      const letInNow = page.getByRole("list", { name: "Devices that are let in" }).getByRole("listitem");
      await waiting
        .filter({ hasText: unwelcome })
        .getByRole("button", { name: /^Reject/ })
        .click();
      await expect.poll(() => waiting.filter({ hasText: unwelcome }).count()).toBe(0);
      await waiting
        .filter({ hasText: welcome })
        .getByRole("button", { name: /^Approve/ })
        .click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Let it in" }).click();
      await letInNow.filter({ hasText: welcome }).waitFor();
      expect(await letInNow.filter({ hasText: unwelcome }).count()).toBe(0);
      await letInNow
        .filter({ hasText: welcome })
        .getByRole("button", { name: /^Remove/ })
        .click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await expect.poll(() => letInNow.filter({ hasText: welcome }).count()).toBe(0);
    });

    it("pauses a job, lets it go on, and removes it", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/jobs`);
      await page.getByText("There are no jobs.").waitFor();
      await addJob(stack, "Water the plants");
      const job = page.getByRole("listitem").filter({ hasText: "Water the plants" });
      await job.getByText("every hour").waitFor();
      expect(await job.innerText()).toMatch(/next in/);
      await job.getByRole("button", { name: "Pause Water the plants" }).click();
      await job.getByText("Paused").waitFor();
      expect(await job.getByRole("button", { name: "Run Water the plants now" }).count()).toBe(0);
      await job.getByRole("button", { name: "Resume Water the plants" }).click();
      await job.getByText(/next in/).waitFor();
      await job.getByRole("button", { name: "Remove Water the plants" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByText("There are no jobs.").waitFor();
    });

    it("lets somebody in who writes to the bot on a chat service", async () => {
      const { stack, person, telegram } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/pairings`);
      await page.getByText("Strangers have to ask on Telegram (default).").waitFor();
      telegram.write({ id: 4242, first_name: "Anna", username: "anna" }, "hello");
      await expect.poll(() => telegram.said(4242).length, { timeout: 120_000 }).toBe(1);
      await page.reload();
      const asking = page.getByRole("listitem").filter({ hasText: "username: anna" });
      await asking.getByRole("button", { name: "Approve 4242" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Let them in" }).click();
      await page.getByText("Nobody is asking.").waitFor();
      // The service tells them.
      await expect.poll(() => telegram.said(4242).length).toBe(2);
    });

    it("follows the gateway's log, and shows only lines with a word", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/log`);
      const log = page.getByRole("region", { name: "The gateway's log" });
      await expect.poll(async () => (await log.innerText()).split("\n").length).toBeGreaterThan(3);
      const atEnd = () => log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 4);
      expect(await atEnd()).toBe(true);
      await page.getByLabel("Only lines with").fill("GATEWAY");
      await expect
        .poll(async () => (await log.innerText()).split("\n").every((line) => /gateway/i.test(line)))
        .toBe(true);
      await page.getByLabel("Only lines with").fill("no line has this");
      await page.getByText("0 lines").waitFor();
    });

    it("shows what a chat's model call cost, by client and conversation", async () => {
      const { stack, person } = of();
      const { page } = person;
      const client = await letIn(stack, "A client that chats");
      const answer = await client.chat("hello");
      expect(answer.isError, answer.text).toBe(false);
      await client.close();
      await page.goto(`${stack.url}/admin/#/usage`);
      const byClient = page
        .getByRole("table", { name: "By client" })
        .getByRole("row")
        .filter({ hasText: "A client that chats" });
      await byClient.waitFor();
      const calls = Number((await byClient.getByRole("cell").nth(1).innerText()).trim());
      expect(calls).toBeGreaterThan(0);
      const all = page.getByRole("region", { name: "Calls" });
      expect(Number((await all.locator(".figure").innerText()).replace(",", ""))).toBeGreaterThanOrEqual(calls);
      await page.getByLabel("Time").selectOption({ label: "today" });
      await byClient.waitFor();
    });

    it("opens a terminal in the container for whoever lets a client run commands there, and ends it", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/terminal`);
      await page.getByRole("button", { name: "Open a terminal" }).click();
      await page.getByText("Open", { exact: true }).waitFor();
      const screen = page.locator(".xterm-rows");
      const type = (text: string) => page.keyboard.type(`${text}\n`);
      await type("echo $((6 * 7))-ok");
      await expect.poll(() => screen.innerText()).toContain("42-ok");
      // As many columns as are drawn: the shell knows its size, also when it changes.
      const columns = async () => {
        await type("clear; echo size $(stty size) end");
        return await page.evaluate<string>(`new Promise((found) => {
          const look = () => {
            const [, size] = /size (\\d+ \\d+) end/.exec(document.querySelector(".xterm-rows").innerText) ?? [];
            if (size === undefined) setTimeout(look, 50);
            else found(size);
          };
          look();
        })`);
      };
      const wide = Number((await columns()).split(" ")[1]);
      await page.setViewportSize({ width: 800, height: 900 });
      await expect.poll(async () => Number((await columns()).split(" ")[1])).toBeLessThan(wide);
      await page.setViewportSize({ width: 1280, height: 900 });
      // Colours that are no class of the sheet, under a policy that takes no style as text.
      await type("clear; printf '\\033[38;2;10;200;30mgreen-%s\\033[0m\\n' word");
      await expect
        .poll(() =>
          page.evaluate(`[...document.querySelectorAll(".xterm-rows span")]
          .filter((each) => each.innerText === "green-word").map((each) => getComputedStyle(each).color)`),
        )
        .toEqual(["rgb(10, 200, 30)"]);
      await page.keyboard.press("Shift+Escape");
      expect(await page.evaluate("document.activeElement.textContent")).toBe("End it");
      await page.keyboard.press("Enter");
      await page.getByText("Closed.").waitFor();
      // It is the same shell again, until it ends itself.
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Open a terminal");
      await page.keyboard.press("Enter");
      await expect.poll(() => screen.innerText()).toContain("green-word");
      await page.getByText("Open", { exact: true }).waitFor();
      await type("exit");
      await page.getByText(/The shell has ended/).waitFor();
    });
  });
}
