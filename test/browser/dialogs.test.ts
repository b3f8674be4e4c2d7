import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BrowserStack, startBrowserStack } from "./stack.ts";

/** A call that only finds a dialog in its way needs no waiting. Milliseconds; the machine may be busy. */
const AT_ONCE_MS = 15_000;

let stack: BrowserStack;

beforeAll(async () => {
  stack = await startBrowserStack();
});

afterAll(() => stack?.close());

const open = (path: string) => stack.call("navigate", { url: stack.pages.url + path });
const refOf = (text: string, words: string) => new RegExp(`"${words}" (e\\d+)`).exec(text)?.[1] ?? "e0";

describe("while a dialog is open", () => {
  it("every tool answers, and says that it is", async () => {
    const { text } = await open("/dialogs");
    const ref = refOf(text, "Alert");
    const url = `${stack.pages.url}/form`;
    const calls: [tool: string, input: Record<string, unknown>][] = [
      ["navigate", { url }],
      ["navigate", { move: "reload" }],
      ["snapshot", {}],
      ["act", { steps: [{ do: "press", value: "Tab" }] }],
      ["screenshot", {}],
      ["read", {}],
      ["evaluate", { expression: "1" }],
      ["wait", { text: "nothing", wait_seconds: 1 }],
      ["tabs", { do: "list" }],
      ["logs", { kind: "console" }],
      ["upload", { ref, files: [{ text: "x" }] }],
      ["download", { url: "/file.csv" }],
      ["pdf", {}],
      ["emulate", { device: "phone" }],
      ["record", { do: "start" }],
    ];
    await stack.call("act", { steps: [{ do: "click", ref }] });
    for (const [tool, input] of calls) {
      const started = performance.now();
      const { data, failure } = await stack.call(tool, input);
      expect(performance.now() - started, tool).toBeLessThan(AT_ONCE_MS);
      const told = failure?.message ?? data.failed?.message ?? JSON.stringify(data.page?.dialog);
      expect([tool, told]).toEqual([tool, expect.stringContaining("Careful")]);
    }
    expect((await stack.call("session", { do: "status" })).data).toMatchObject({ open: true });
    expect((await stack.call("session", { do: "live_view" })).failure).toMatchObject({ code: "unavailable" });
    expect((await stack.call("dialog", { accept: true })).data.answered.message).toBe("Careful");
    expect((await stack.call("record", { do: "stop" })).failure).toBeUndefined();
    expect((await stack.call("read")).data.text).toContain("alert done");
  });

  it("another tab can be opened and used, and this one closed", async () => {
    const { text } = await open("/dialogs");
    await stack.call("act", { steps: [{ do: "click", ref: refOf(text, "Confirm") }] });
    const other = await stack.call("navigate", { url: `${stack.pages.url}/inner`, new_tab: true });
    expect(other.failure).toBeUndefined();
    expect(other.data.page).toMatchObject({ tab: "t2", title: "Inner" });
    expect((await stack.call("tabs", { do: "close", tab: "t1" })).data.tabs).toMatchObject([{ tab: "t2" }]);
    expect((await stack.call("snapshot")).text).toContain('textbox "Word"');
  });
});

describe("a dialog", () => {
  it("that opens while a page loads is told of, and the page loads when it is answered", async () => {
    const { failure } = await open("/greets");
    expect(failure).toMatchObject({ code: "conflict", message: expect.stringContaining("Welcome") });
    const { data } = await stack.call("dialog", { accept: true });
    expect(data.answered).toMatchObject({ type: "alert", message: "Welcome" });
    expect((await stack.call("wait", { text: "Come in" })).data.met).toBe(true);
  });

  it("that comes again and again leaves a tab that can be closed", async () => {
    const { text } = await open("/nags");
    await stack.call("act", { steps: [{ do: "click", ref: refOf(text, "Nag") }] });
    for (const turn of [1, 2, 3]) {
      const { data } = await stack.call("dialog", { accept: true });
      expect(data.page.dialog, String(turn)).toMatchObject({ message: "Again" });
    }
    const { tabs } = (await stack.call("tabs", { do: "close", tab: "t2" })).data;
    expect(tabs).toMatchObject([{ tab: "t3", url: "about:blank" }]);
    expect((await open("/form")).data.page.title).toBe("Sign up");
  });

  it("of a frame is the page's", async () => {
    const { text } = await open("/framed-dialogs");
    const ref = /button "Alert" (f\d+e\d+)/.exec(text)?.[1];
    const { data } = await stack.call("act", { steps: [{ do: "click", ref }] });
    expect(data.page.dialog).toEqual({ type: "alert", message: "Careful" });
    await stack.call("dialog", { accept: true });
    expect((await stack.call("snapshot", { mode: "full" })).text).toContain("alert done");
  });
});
