import { describe, expect, it } from "vitest";
import { servePages } from "../browser/pages.ts";
import { expecting, letIn, place, takeIn } from "./page-things.ts";
import type { PageStack, Visit } from "./page-stack.ts";

/** What needs no running bot; none of it starts one. */
export function asleepAreas(of: () => { stack: PageStack; person: Visit }): void {
  describe("while the bot sleeps", () => {
    it("lists generations, gives them out as archives, and puts one back when the person says so twice", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/generations`);
      await page.getByText("Nothing is kept yet.").waitFor();
      const first = await takeIn(stack, person, { "workspace/MEMORY.md": "My cat is called Tom.\n" });
      const second = await takeIn(stack, person, { "workspace/MEMORY.md": "Tim.\n", "workspace/dog.md": "Rex.\n" });
      await page.reload();
      const list = page.getByRole("list", { name: "Generations" });
      const [newer, older] = [list.getByRole("listitem").first(), list.getByRole("listitem").nth(1)];
      await newer.getByText(second).waitFor();
      expect(await newer.innerText()).toMatch(/Present[^]*2 files/);
      expect(await older.innerText()).not.toContain("Present");
      expect(await newer.getByRole("button", { name: /Restore/ }).count()).toBe(0);

      const link = list.getByRole("link", { name: `Export ${first}` });
      const archive = await page.request.get(`${stack.url}${await link.getAttribute("href")}`);
      expect(archive.headers()["content-disposition"]).toContain(`moltbot-${first}.tar.gz`);
      expect((await archive.body()).subarray(0, 2).toString("hex")).toBe("1f8b");

      await list.getByRole("button", { name: `Restore ${first}` }).click();
      const question = page.getByRole("alertdialog", { name: `Put generation ${first} back?` });
      await question.getByRole("button", { name: "Cancel" }).click();
      await list.getByRole("button", { name: `Restore ${first}` }).click();
      await question.getByRole("button", { name: "Put it back" }).click();
      await page.getByText(`Generation ${first} is the present one again.`).waitFor();
      await expect.poll(() => newer.innerText()).toMatch(/Present[^]*1 file[^]*restore/);
    });

    it("lists the large files by what their paths begin with, and hands them out", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/files`);
      await page.getByText("There are no files.").waitFor();
      await place(stack, "videos/a cat & a dog #1.txt", "meow");
      await place(stack, "report.pdf", "x".repeat(5_000));
      await page.reload();
      const rows = page.getByRole("table", { name: "Files" }).getByRole("row");
      await page.getByRole("cell", { name: "4.9 KiB" }).waitFor();
      expect(await rows.count()).toBe(3);
      await page.getByLabel("In the folder").fill("/files/videos/");
      await expect.poll(() => rows.count()).toBe(2);
      const address = await page
        .getByRole("link", { name: "videos/a cat & a dog #1.txt", exact: true })
        .getAttribute("href");
      expect(await (await page.request.get(`${stack.url}${address}`)).text()).toBe("meow");
      await page.getByLabel("In the folder").fill("music/");
      await page.getByText("Nothing begins with music/.").waitFor();
    });

    it("shows which clients may do what, and takes it from one of them at once", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/clients`);
      await page.getByText("You have let no client in yet.").waitFor();
      expect(await page.getByRole("link", { name: "Terminal" }).count()).toBe(0);
      const [kept, other] = [await letIn(stack, "A client to keep"), await letIn(stack, "A client to drop", ["chat"])];
      await page.reload();
      const item = page.getByRole("listitem").filter({ hasText: "A client to drop" });
      await item.getByText("chat", { exact: true }).waitFor();
      expect(await item.innerText()).toMatch(/for owner@moltbot.local[^]*let in[^]*last used/);
      expect(await item.getByText("exec", { exact: true }).count()).toBe(0);
      // One that may run commands is there.
      await page.getByRole("link", { name: "Terminal" }).waitFor();
      await page.getByRole("button", { name: "Revoke A client to drop" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
      await page.getByText("A client to drop is out.").waitFor();
      await expect.poll(() => item.count()).toBe(0);
      // Its button is gone; whoever goes by keyboard goes on at the heading.
      await expect.poll(() => page.evaluate("document.activeElement.tagName")).toBe("H1");
      await expect(other.call("chat_conversations")).rejects.toThrow();
      expect((await kept.call("chat_conversations")).isError).toBe(false);
      await kept.close();
    });

    it("says beside the button why something did not come about, and what to do", async () => {
      const { stack, person } = of();
      const { page, context } = person;
      await page.goto(`${stack.url}/admin/#/clients`);
      const revoke = page.getByRole("button", { name: "Revoke A client to keep" });
      await revoke.click();
      await expecting(person, "ERR_INTERNET_DISCONNECTED", async () => {
        await context.setOffline(true);
        await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
        const item = page.getByRole("listitem").filter({ hasText: "A client to keep" });
        await item.getByRole("alert").getByText("The Moltbot cannot be reached. Check the connection").waitFor();
        await context.setOffline(false);
      });
      expect(await revoke.count()).toBe(1);
    });

    it("filters the journal by what is typed, chosen and pressed", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/journal`);
      const table = page.getByRole("table", { name: "Journal" });
      const whats = async () =>
        (await table.locator("tbody tr td:nth-child(2)").allInnerTexts()).map((text) => text.split(/\s+/)[0]);
      await expect.poll(whats).toContain("grants/revoke");
      expect(await whats()).toContain("chat_conversations");
      await page.getByLabel("Kind").selectOption({ label: "Changes by people" });
      await expect.poll(whats).toEqual(expect.arrayContaining(["grants/revoke", "generations/restore"]));
      expect(await whats()).not.toContain("chat_conversations");
      await table.getByRole("button", { name: "generations/import" }).first().click();
      await expect.poll(async () => new Set(await whats())).toEqual(new Set(["generations/import"]));
      expect(await page.getByLabel("What").inputValue()).toBe("generations/import");
      await page.getByLabel("Ended with").fill("nothing ends so");
      await page.getByText("Nothing in the journal is exactly so.").waitFor();
      await page.getByRole("button", { name: "Show all" }).click();
      await expect.poll(whats).toContain("chat_conversations");
    });

    it("shows the browser of the person's clients as it moves, and closes it", async () => {
      const { stack, person } = of();
      const { page } = person;
      await page.goto(`${stack.url}/admin/#/browser`);
      await page.getByText("You have no browser open.").waitFor();
      const [client, pages] = [await letIn(stack, "A client with a browser"), await servePages()];
      try {
        const went = await client.call("browser_navigate", { url: `${pages.url}/moving` });
        expect(went.isError, went.text).toBe(false);
        const picture = page.getByRole("img", { name: /^Your browser/ });
        await picture.waitFor();
        const seen = () => page.evaluate<number>(`document.querySelector("main img").naturalWidth`);
        await expect.poll(seen).toBeGreaterThan(300);
        await page.getByRole("list", { name: "Tabs" }).getByText(`${pages.url}/moving`).waitFor();
        await page.getByRole("button", { name: "Close it" }).click();
        await page.getByRole("alertdialog").getByRole("button", { name: "Close it" }).click();
        await page.getByText("You have no browser open.").waitFor();
        expect((await client.call("browser_session", { do: "status" })).data.open).toBe(false);
      } finally {
        await client.close();
        await pages.close();
      }
    });

    it("says of what needs the gateway that it has to run, and has started nothing so far", async () => {
      const { stack, person } = of();
      const { page } = person;
      for (const [area, what] of [
        ["devices", "Its devices"],
        ["jobs", "Its jobs"],
        ["pairings", "Those who ask"],
      ]) {
        await page.goto(`${stack.url}/admin/#/${area}`);
        await page.getByText(`${what} are known to the gateway, which has to run for it.`).waitFor();
        await page.getByRole("button", { name: "Start the Moltbot" }).waitFor();
      }
      await page.goto(`${stack.url}/admin/#/log`);
      await page.getByText("There is no log yet").waitFor();
      await page.goto(`${stack.url}/admin/#/usage`);
      await page.getByText("No model was asked").waitFor();
      expect(await stack.counts()).toMatchObject({ starts: 0, running: false });
    });
  });
}
