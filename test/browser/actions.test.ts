import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Answer, type BrowserStack, SECRET, startBrowserStack } from "./stack.ts";

let stack: BrowserStack;

beforeAll(async () => {
  stack = await startBrowserStack();
});

afterAll(() => stack?.close());

async function open(path: string): Promise<string> {
  const { text, failure } = await stack.call("navigate", { url: stack.pages.url + path });
  expect(failure).toBeUndefined();
  return text;
}

function refOf(text: string, words: string): string {
  const line = text.split("\n").find((candidate) => candidate.includes(words)) ?? "";
  return /(?:f\d+)?e\d+/.exec(line.slice(line.indexOf(words)))?.[0] ?? `no ${words} in:\n${text}`;
}

const act = (...steps: Record<string, unknown>[]): Promise<Answer> => stack.call("act", { steps });

describe("steps", () => {
  it("fill a whole form in one call and show what changed", async () => {
    const text = await open("/form");
    const at = (words: string) => refOf(text, words);
    const filled = await act(
      { do: "fill", ref: at('"Name"'), value: "Ann Other" },
      { do: "fill", ref: at('"E-mail"'), value: "ann@example.com" },
      { do: "fill", ref: at('"Password"'), value: "" },
      { do: "select", ref: at('"Country"'), value: "Portugal" },
      { do: "fill", ref: at('"Birthday"'), value: "1990-02-28" },
      { do: "check", ref: at('"Newsletter"') },
      { do: "check", ref: at('"Paid"') },
      { do: "fill", ref: at('"About you"'), value: "line 1\nline 2" },
      { do: "type", ref: at('"Notes"'), value: "Noted" },
    );
    expect(filled.data.failed).toBeUndefined();
    expect(filled.data.done).toBe(9);
    expect(filled.data.changes).toMatch(/~ textbox "Name" e\d+ = "Ann Other"/);
    expect(filled.data.changes).toMatch(/status: Hello Ann Other/);
    expect(filled.data.changes).not.toContain("Send");
    const sent = await act({ do: "click", ref: at('"Send"') });
    expect(sent.text).toContain("Thank you");
    const { data } = await stack.call("read");
    for (const part of [
      "name is Ann Other",
      "email is ann@example.com",
      "country is pt",
      "birthday is 1990-02-28",
      "news is on",
      "plan is paid",
      "about is line 1",
    ]) {
      expect(data.text).toContain(part);
    }
  });

  it("stop at the one that fails and say why", async () => {
    const text = await open("/tricks");
    const covered = await act({ do: "click", ref: refOf(text, '"Covered"') }, { do: "press", value: "Tab" });
    expect(covered).toMatchObject({ failed: true, data: { done: 0, failed: { code: "conflict" } } });
    expect(covered.text).toContain("#veil");
    const both = await act(
      { do: "click", ref: refOf(text, '"Uncover"') },
      { do: "click", ref: refOf(text, '"Covered"') },
    );
    expect(both.data.failed).toBeUndefined();
    const replaced = await act(
      { do: "click", ref: refOf(text, '"Replace"') },
      { do: "click", ref: refOf(text, '"Victim"') },
    );
    expect(replaced.data).toMatchObject({ done: 1, failed: { code: expect.stringMatching(/not_found|conflict/) } });
    expect(replaced.data.changes).toContain("Other");
    const form = await open("/form");
    for (const [step, why] of [
      [{ do: "click", ref: refOf(form, '"Save"') }, "disabled"],
      [{ do: "select", ref: refOf(form, '"Country"'), value: "Spain" }, "Netherlands"],
      [{ do: "fill", ref: refOf(form, '"Country"'), value: "x" }, "use select"],
      [{ do: "fill", ref: refOf(form, '"Birthday"'), value: "soon" }, "date"],
      [{ do: "click" }, "needs `ref`"],
      [{ do: "press", value: "Hyper+K" }, "Hyper"],
    ] as const) {
      expect((await act(step)).data.failed?.message).toContain(why);
    }
  });

  it("work in frames of both kinds, in shadow trees, and on what only looks clickable", async () => {
    const frames = await open("/iframes");
    for (const frame of ['"Near"', '"Far"']) {
      const part = frames.slice(frames.indexOf(frame));
      const done = await act(
        { do: "fill", ref: refOf(part, '"Word"'), value: `to ${frame}` },
        { do: "click", ref: refOf(part, '"Take"') },
      );
      expect(done.data.changes).toContain(`Got to ${frame}`);
    }
    expect((await act({ do: "click", ref: refOf(frames, '"Srcdoc button"') })).data.changes).toContain("Pressed");
    const shadow = await open("/shadow");
    const add = refOf(shadow, '"Add one"');
    expect((await act({ do: "click", ref: add }, { do: "double_click", ref: add })).data.changes).toContain("3");
    const closed = await act({ do: "click", ref: refOf(shadow, '"Closed one"') });
    expect(closed.data.page.title).toBe("Closed pressed");
    const form = await open("/form");
    expect((await act({ do: "click", ref: refOf(form, '"Open the card"') })).data.changes).toContain("Card opened");
    expect((await act({ do: "press", value: "Control+k" })).data.changes).toContain("Palette");
  });

  it("scroll a page that has no end", async () => {
    await open("/endless");
    const { data } = await act({ do: "scroll", value: "bottom" });
    expect(data.changes).toContain('link "Item 31"');
  });

  it("tell of new tabs, which can be chosen and closed", async () => {
    const text = await open("/popup");
    await act({ do: "click", ref: refOf(text, '"New tab"') }, { do: "click", ref: refOf(text, '"Window"') });
    // A tab is told of when it is there, which may be after the answer.
    const list = await vi.waitFor(async () => {
      const answer = await stack.call("tabs", { do: "list" });
      expect(answer.data.tabs).toHaveLength(3);
      return answer;
    });
    expect(list.data.tabs.map(({ tab, title }: Record<string, string>) => `${tab} ${title}`)).toEqual([
      "t1 Popups",
      "t2 Sign up",
      "t3 The long river",
    ]);
    expect((await stack.call("tabs", { do: "select", tab: "t2" })).data.page.title).toBe("Sign up");
    expect((await stack.call("snapshot", {})).text).toContain('"Send"');
    await stack.call("tabs", { do: "close", tab: "t3" });
    const left = await stack.call("tabs", { do: "close", tab: "t2" });
    expect(left.data.tabs).toHaveLength(1);
    expect((await stack.call("snapshot", { tab: "t2" })).failure?.code).toBe("not_found");
  });
});

describe("a dialog", () => {
  it("is reported by what opened it, blocks no call, and is answered", async () => {
    const text = await open("/dialogs");
    const at = (words: string) => refOf(text, words);
    const alerted = await act({ do: "click", ref: at('"Alert"') }, { do: "press", value: "Tab" });
    expect(alerted.data.page.dialog).toEqual({ type: "alert", message: "Careful" });
    expect(alerted.data).toMatchObject({ done: 1, failed: { code: "conflict" } });
    for (const tool of ["snapshot", "screenshot", "read"]) {
      expect((await stack.call(tool)).failure).toMatchObject({
        code: "conflict",
        hint: expect.stringContaining("browser_dialog"),
      });
    }
    expect((await stack.call("tabs", { do: "list" })).data.page.dialog.message).toBe("Careful");
    await stack.call("dialog", { accept: true });
    expect((await stack.call("read")).data.text).toContain("alert done");

    await act({ do: "click", ref: at('"Confirm"') });
    await stack.call("dialog", { accept: false });
    expect((await stack.call("read")).data.text).toContain("no");
    const asked = await act({ do: "click", ref: at('"Prompt"') });
    expect(asked.data.page.dialog).toEqual({ type: "prompt", message: "Name?", default: "nobody" });
    await stack.call("dialog", { accept: true, text: "Ann" });
    expect((await stack.call("read")).data.text).toContain("name Ann");
    expect((await stack.call("dialog", { accept: true })).failure?.code).toBe("conflict");
  });

  it("of a script, and one that asks before the page is left, hang nothing", async () => {
    await open("/dialogs");
    const evaluated = await stack.call("evaluate", { expression: "alert('From a script')" });
    expect(evaluated.failure?.message).toContain("From a script");
    await stack.call("dialog", { accept: true });
    const guard = refOf((await stack.call("snapshot")).text, '"Guard"');
    await act({ do: "click", ref: guard });
    const leaving = await stack.call("navigate", { url: `${stack.pages.url}/form` });
    // A Chromium without windows leaves without a question.
    if (leaving.failure) {
      expect(leaving.failure.message).toContain("beforeunload");
      await stack.call("dialog", { accept: true });
    }
    expect((await stack.call("wait", { url: "/form" })).data.met).toBe(true);
  });
});

describe("what a page may not do", () => {
  it("is lead to a private place or another scheme", async () => {
    for (const url of [
      "http://10.0.0.1/",
      "http://2130706433/",
      "http://0x7f.1/",
      "http://[::1]/",
      "http://[::ffff:169.254.169.254]/",
      "http://localhost:1/",
      "http://metadata.internal/",
      "http://router/",
      "file:///etc/passwd",
      "chrome://version",
      "view-source:http://example.com",
      "data:text/html,hi",
      "javascript:alert(1)",
      "http://user:pass@example.com/",
    ]) {
      const { failure } = await stack.call("navigate", { url });
      expect([url, failure?.code]).toEqual([url, "forbidden"]);
    }
    const redirected = await stack.call("navigate", { url: `${stack.pages.url}/to-private` });
    expect(redirected.failure).toMatchObject({ code: "forbidden" });
    const text = await open("/tricks");
    const clicked = await act({ do: "click", ref: refOf(text, '"Metadata"') });
    expect(clicked.text).toContain("169.254.169.254 is a private address");
    expect(clicked.data.page.url).not.toContain("169.254");
  });

  it("is see a secret that is not for it, or give one back", async () => {
    const text = await open("/form");
    const name = refOf(text, '"Name"');
    const other = await act({ do: "fill", ref: name, value: "secret:OTHER" });
    expect(other.data.failed).toMatchObject({ code: "forbidden" });
    expect((await act({ do: "fill", ref: name, value: "secret:NONE" })).data.failed).toMatchObject({
      code: "not_found",
    });
    const filled = await act({ do: "fill", ref: name, value: "secret:LOGIN" });
    expect(filled.data.failed).toBeUndefined();
    const answers = [
      filled,
      await stack.call("snapshot", { mode: "full" }),
      await stack.call("evaluate", { expression: "document.querySelector('[name=name]').value" }),
    ];
    const sent = await act({ do: "click", ref: refOf(text, '"Send"') });
    answers.push(
      sent,
      await stack.call("read"),
      await stack.call("evaluate", { expression: "throw new Error(document.body.textContent)" }),
    );
    await stack.call("evaluate", {
      expression: `history.replaceState(0, "", "/form?v=" + encodeURIComponent(document.body.textContent))`,
    });
    answers.push(
      await stack.call("snapshot"),
      await stack.call("tabs", { do: "list" }),
      await stack.call("session", { do: "status" }),
    );
    expect((await stack.call("read")).data.text).toContain("name is [secret:LOGIN]");
    for (const answer of answers) {
      const all = JSON.stringify(answer);
      expect(all).not.toContain(SECRET);
      expect(all).not.toContain("correct%20horse");
      expect(all).not.toContain("horse/battery");
    }
  });
});

describe("the rest", () => {
  it("tells errors once, and logs on demand", async () => {
    const text = await open("/tricks");
    const failed = await act({ do: "click", ref: refOf(text, '"Fail"') });
    const late = await stack.call("snapshot");
    const told = [...(failed.data.page.console_errors ?? []), ...(late.data.page.console_errors ?? [])];
    expect(told.join()).toMatch(/Broken thing.*Thrown thing/);
    expect((await stack.call("snapshot")).data.page.console_errors).toBeUndefined();
    const { data } = await stack.call("logs", { kind: "console", match: "Broken" });
    expect(data.lines).toHaveLength(1);
    const network = await stack.call("logs", { kind: "network", match: "/tricks" });
    expect(network.data.lines[0].text).toMatch(/^GET .*\/tricks 200 document/);
  });

  it("waits for what is named", async () => {
    const text = await open("/tricks");
    await act({ do: "click", ref: refOf(text, '"Show later"') });
    expect((await stack.call("wait", { text: "Here I am" })).data.met).toBe(true);
    expect((await stack.call("wait", { text: "never there", wait_seconds: 1 })).data.met).toBe(false);
    expect((await stack.call("wait", {})).failure?.code).toBe("invalid_input");
  });

  it("evaluates, and stops what does not end", async () => {
    const text = await open("/form");
    expect((await stack.call("evaluate", { expression: "({ a: [1, document.title] })" })).data.value).toBe(
      '{"a":[1,"Sign up"]}',
    );
    expect((await stack.call("evaluate", { expression: "await Promise.resolve(3)" })).data.value).toBe("3");
    expect(
      (await stack.call("evaluate", { expression: "fetch('/inner').then(({ status }) => status)" })).data.value,
    ).toBe("200");
    expect(
      (await stack.call("evaluate", { expression: "Promise.reject(new Error('Not so'))" })).failure?.message,
    ).toContain("Not so");
    expect((await stack.call("evaluate", { expression: "undefined" })).data.value).toBe("undefined");
    expect((await stack.call("evaluate", { expression: "window" })).failure).toBeUndefined();
    const one = await stack.call("evaluate", {
      ref: refOf(text, '"Send"'),
      expression: "(button) => button.textContent",
    });
    expect(one.data.value).toBe('"Send"');
    expect((await stack.call("evaluate", { expression: "nope()" })).failure?.message).toContain("nope is not defined");
    expect((await stack.call("evaluate", { expression: "for (;;);", wait_seconds: 1 })).failure).toBeDefined();
    expect((await stack.call("evaluate", { expression: "1 + 1" })).data.value).toBe("2");
  });

  it("uploads bytes and files of the sandbox", async () => {
    const text = await open("/form");
    const big = "x".repeat(700_000);
    const { data } = await stack.call("upload", {
      ref: refOf(text, '"Papers"'),
      files: [
        { name: "a.txt", text: big },
        { name: "b.bin", base64: Buffer.from([0, 255, 1]).toString("base64"), type: "image/png" },
      ],
    });
    expect(data.files).toBe(2);
    expect((await stack.call("read")).data.text).toContain("a.txt:700000:text/plain b.bin:3:image/png");
    await stack.call("download", { url: "/file.csv", save_as: "again.csv" });
    await stack.call("upload", { ref: refOf(text, '"Papers"'), files: [{ saved: "again.csv" }] });
    expect((await stack.call("read")).data.text).toContain("again.csv:19:text/plain");
    for (const saved of ["../../etc/passwd", "/etc/passwd", ".."]) {
      const { failure } = await stack.call("upload", { ref: refOf(text, '"Papers"'), files: [{ saved }] });
      expect(failure?.code).toBe("invalid_input");
    }
    const wrong = await stack.call("upload", { ref: refOf(text, '"Send"'), files: [{ text: "" }] });
    expect(wrong.failure).toBeUndefined();
  });

  it("downloads with the page's cookies, shows text, keeps bytes in the sandbox, and writes nothing by itself", async () => {
    const text = await open("/popup");
    const csv = await stack.call("download", { ref: refOf(text, '"The file"') });
    expect(csv.data).toMatchObject({ name: "list.csv", type: "text/csv", text: "name,count\nspade,3\n" });
    const bytes = await stack.call("download", { url: "/file.bin" });
    expect(bytes.data).toMatchObject({ bytes: 3_000_000, path: "/workspace/downloads/file.bin" });
    const kept = new Uint8Array(await (await stack.get(`/file?path=${bytes.data.path}`)).arrayBuffer());
    expect([kept.byteLength, kept[0], kept.at(-1)]).toEqual([3_000_000, 7, 7]);
    expect((await stack.call("download", { url: "http://127.0.0.1:1/x" })).failure?.code).toBe("forbidden");
    const clicked = await act({ do: "click", ref: refOf(text, '"The file"') });
    expect(clicked.text).toContain("browser_download");
  });

  it("prints to PDF and shows pages as a phone does", async () => {
    await open("/form");
    const { data } = await stack.call("pdf");
    expect(data).toMatchObject({ name: "Sign up.pdf", path: "/workspace/downloads/Sign up.pdf" });
    expect(await (await stack.get(`/file?path=${data.path}`)).text()).toMatch(/^%PDF-/);
    const phone = await stack.call("emulate", {
      device: "phone",
      color_scheme: "dark",
      timezone: "Asia/Tokyo",
      locale: "pt-PT",
    });
    expect(phone.data.viewport).toBe("390×844");
    const seen = await stack.call("evaluate", {
      expression:
        "[screen.width, matchMedia('(prefers-color-scheme: dark)').matches, new Date().getTimezoneOffset(), (1.5).toLocaleString()]",
    });
    expect(seen.data.value).toBe('[390,true,-540,"1,5"]');
    await stack.call("emulate", { device: "desktop", color_scheme: "none", timezone: "", locale: "" });
    expect((await stack.call("evaluate", { expression: "innerWidth" })).data.value).toBe("1280");
  });

  it("films what other calls do, as a picture that moves", async () => {
    const text = await open("/endless");
    expect(text).toContain("Item 1");
    await stack.call("record", { do: "start", fps: 8, width: 400 });
    for (let turn = 0; turn < 4; turn++) {
      await act({ do: "scroll", value: "down" });
      await stack.call("wait", { seconds: 0.4 });
    }
    const { data, images } = await stack.call("record", { do: "stop" });
    const film = Buffer.from(images[0]?.data ?? "", "base64");
    expect([film.toString("latin1", 0, 4), film.toString("latin1", 8, 16)]).toEqual(["RIFF", "WEBPVP8X"]);
    expect(film.toString("latin1").split("ANMF")).toHaveLength(data.frames + 1);
    expect(data.frames).toBeGreaterThan(1);
    expect(film.byteLength).toBeLessThanOrEqual(1_000_000);
    // The browser itself can tell whether it is one, and what size.
    const size = await stack.call("evaluate", {
      expression: `const image = new Image(); image.src = "data:image/webp;base64,${film.byteLength < 36_000 ? film.toString("base64") : ""}"; await image.decode().then(() => [image.naturalWidth, image.naturalHeight], String)`,
    });
    if (film.byteLength < 36_000) expect(size.data.value).toBe("[400,250]");
    expect((await stack.call("record", { do: "stop" })).failure?.code).toBe("conflict");
  });
});
