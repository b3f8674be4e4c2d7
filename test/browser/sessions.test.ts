import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type BrowserStack, startBrowserStack } from "./stack.ts";

let stack: BrowserStack;

beforeAll(async () => {
  stack = await startBrowserStack();
});

afterAll(() => stack?.close());

function until(check: () => Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 60_000, interval: 200 });
}

async function allEnded(): Promise<void> {
  await until(async () => expect(await stack.sessions()).toBe(0));
}

describe("a session", () => {
  it("is one for all calls of a person, and another for another person", async () => {
    const url = `${stack.pages.url}/form`;
    const opened = await Promise.all(Array.from({ length: 6 }, () => stack.call("navigate", { url }, "ann")));
    expect(opened.map(({ data }) => data.page.title)).toEqual(Array(6).fill("Sign up"));
    expect(await stack.sessions()).toBe(1);
    await stack.call("evaluate", { expression: "document.cookie = 'who=ann'" }, "ann");
    await stack.call("navigate", { url }, "bob");
    expect(await stack.sessions()).toBe(2);
    expect((await stack.call("evaluate", { expression: "document.cookie" }, "bob")).data.value).toBe('""');
    expect((await stack.call("evaluate", { expression: "document.cookie" }, "ann")).data.value).toBe('"who=ann"');
    for (const person of ["ann", "bob"]) await stack.call("session", { do: "close" }, person);
    await allEnded();
    expect((await stack.call("session", { do: "status" }, "ann")).data).toMatchObject({ open: false });
  });

  it("leaves no browser behind, however often one is opened", async () => {
    const pending: Promise<unknown>[] = [];
    for (let round = 0; round < 12; round++) {
      const person = `person ${round}`;
      const { failure } = await stack.call("navigate", { url: `${stack.pages.url}/inner` }, person);
      expect(failure).toBeUndefined();
      // Some close theirs while a call is under way.
      if (round % 3 === 0) pending.push(stack.call("wait", { seconds: 1 }, person));
      await stack.call("session", { do: "close" }, person);
    }
    await Promise.all(pending);
    // A call that came after the close has opened one of its own.
    for (let round = 0; round < 12; round += 3) await stack.call("session", { do: "close" }, `person ${round}`);
    await allEnded();
  });

  it("is closed when nobody uses it, and opened again when somebody does", async () => {
    const url = `${stack.pages.url}/form`;
    await stack.call("navigate", { url }, "hasty");
    expect(await stack.sessions()).toBe(1);
    await allEnded();
    expect((await stack.call("navigate", { url }, "hasty")).data.page.title).toBe("Sign up");
    // An isolate that is gone has left its alarm.
    await stack.get("/forget?principal=hasty");
    await allEnded();
  });

  it("goes on with a new browser when its own has ended, and says so", async () => {
    await stack.call("navigate", { url: `${stack.pages.url}/form` });
    await stack.get("/end?principal=me");
    await allEnded();
    const { data, failure } = await stack.call("navigate", { url: `${stack.pages.url}/popup` });
    expect(failure).toBeUndefined();
    expect(data.page).toMatchObject({ title: "Popups", notes: [expect.stringContaining("new one")] });
    expect(await stack.sessions()).toBe(1);
  });

  it("shows the bot's own browser without touching it", async () => {
    expect((await stack.call("session", { do: "look_at_bot" })).data).toEqual({ open: false, tabs: [] });
    await stack.call("navigate", { url: `${stack.pages.url}/form` }, "bot");
    const { data, images } = await stack.call("session", { do: "look_at_bot" });
    expect(data.tabs).toMatchObject([{ tab: "b1", title: "Sign up" }]);
    expect(Buffer.from(images[0]?.data ?? "", "base64").subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    expect((await stack.call("evaluate", { expression: "innerWidth" }, "bot")).data.value).toBe("1280");
    await stack.call("session", { do: "close" }, "bot");
  });
});
