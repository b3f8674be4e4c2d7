import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type BrowserStack, startBrowserStack } from "./stack.ts";

let stack: BrowserStack;

beforeAll(async () => {
  stack = await startBrowserStack();
});

afterAll(() => stack?.close());

const session = (input: Record<string, unknown>, who = "hosted") => stack.call("session", input, who);
const platform = async (query = "") =>
  z.array(z.unknown()).parse(await (await stack.get(`/platform?principal=hosted${query}`)).json());
/** The platform's ids of the tabs t1, t2 … */
const targets = async () => z.array(z.string()).parse(await (await stack.get("/targets?principal=hosted")).json());

describe("a person and Cloudflare's hosted browser", () => {
  it("look on by a link to the tab that is active, for five minutes", async () => {
    await stack.call("navigate", { url: `${stack.pages.url}/form` }, "hosted");
    await stack.call("navigate", { url: `${stack.pages.url}/popup`, new_tab: true }, "hosted");
    const { data, text } = await session({ do: "live_view" });
    expect(data.live_view).toMatch(/^https:\/\/live\.browser\.run\/ui\/view\?mode=tab&wss=live\.browser\.run/);
    expect(text).toContain(`Watch: ${data.live_view}`);
    const [first, second] = await targets();
    expect(first).not.toBe(second);
    expect(await platform()).toMatchObject([
      { method: "Cloudflare.getLiveView", params: { targetId: second, mode: "tab", expiresInMs: 300_000 } },
    ]);
    await stack.call("tabs", { do: "select", tab: "t1" }, "hosted");
    expect((await session({ do: "live_view" })).data.live_view).toContain(first);
  });

  it("take over and give back: asked in words, told of in the status, ended by either side", async () => {
    expect((await session({ do: "status" })).data.handoff).toBe("none");
    const asked = await session({ do: "handoff", instructions: "Please sign in at the bank." });
    expect(asked.data).toMatchObject({ handoff: "active", live_view: expect.stringContaining("mode=tab") });
    expect(asked.text).toContain("handoff_done");
    const [tab] = await targets();
    expect(await platform()).toContainEqual({
      method: "Cloudflare.handoff",
      params: { targetId: tab, instructions: "Please sign in at the bank.", timeout: 600_000 },
    });
    expect((await session({ do: "status" })).data.handoff).toBe("active");
    const twice = await session({ do: "handoff" });
    expect(twice.failure).toMatchObject({ code: "upstream", message: expect.stringContaining("already in progress") });
    expect((await session({ do: "handoff_done" })).data.handoff).toBe("none");
    expect(await platform()).toContainEqual({
      method: "Cloudflare.handoffComplete",
      params: { targetId: tab, success: true },
    });

    await session({ do: "handoff" });
    await platform("&done");
    expect((await session({ do: "status" })).data.handoff).toBe("none");
    const before = (await platform()).length;
    expect((await session({ do: "handoff_done" })).data.handoff).toBe("none");
    // It had ended: only its state was asked for.
    expect(await platform()).toHaveLength(before + 1);
  });

  it("work on the same page: what a person is handed is what the next call sees", async () => {
    const { data } = await stack.call("snapshot", {}, "hosted");
    expect(data.page).toMatchObject({ tab: "t1", title: "Sign up" });
    await session({ do: "close" });
    expect((await session({ do: "status" })).data).toEqual({ open: false, tabs: [] });
  });
});

describe("a browser of this machine", () => {
  it.each(["live_view", "handoff", "handoff_done"])("says plainly that it has no %s", async (what) => {
    await stack.call("navigate", { url: `${stack.pages.url}/form` });
    const { failure } = await session({ do: what }, "me");
    expect(failure).toEqual({
      code: "unavailable",
      message: "This browser cannot be watched or taken over by a person.",
      hint: expect.stringContaining("browser_screenshot"),
    });
    const status = await session({ do: "status" }, "me");
    expect(status.data).toMatchObject({ open: true, tabs: [{ tab: "t1" }] });
    expect(status.data).not.toHaveProperty("handoff");
  });
});
