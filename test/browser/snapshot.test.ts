import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BrowserStack, startBrowserStack } from "./stack.ts";

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

/** The name of the element whose line holds `words`. */
function refOf(text: string, words: string): string {
  const line = text.split("\n").find((candidate) => candidate.includes(words)) ?? "";
  return /(?:f\d+)?e\d+/.exec(line.slice(line.indexOf(words)))?.[0] ?? `no ${words} in:\n${text}`;
}

describe("a snapshot", () => {
  it("shows what can be acted on, with states and values, and hides passwords", async () => {
    const text = await open("/form");
    expect(text).toContain("[t1] Sign up – ");
    for (const part of [
      'h1 "Sign up"',
      /textbox "Name" e\d+ \(required\)/,
      /textbox "Password" e\d+ = "\(hidden\)"/,
      /combobox "Country" e\d+ = "Choose" \[Choose, Netherlands, Portugal\]/,
      /radio "Free" e\d+ \(checked\)/,
      /button "Save" e\d+ \(disabled\)/,
      /clickable "Open the card" e\d+/,
    ]) {
      expect(text).toMatch(part);
    }
    const { data } = await stack.call("snapshot", { mode: "full" });
    expect(JSON.stringify(data)).not.toContain("hunter2");
  });

  it("names an element the same each time, and after the object's memory is gone", async () => {
    const first = refOf(await open("/form"), '"Send"');
    expect(refOf((await stack.call("snapshot")).text, '"Send"')).toBe(first);
    expect(refOf((await stack.call("snapshot", { mode: "full" })).text, '"Send"')).toBe(first);
    await stack.get("/forget?principal=me");
    expect(refOf((await stack.call("snapshot")).text, '"Send"')).toBe(first);
    expect(await stack.sessions()).toBe(1);
  });

  it("comes in parts of at most 8,000 characters that together are the whole", async () => {
    await open("/admin");
    const parts: string[] = [];
    let { data } = await stack.call("snapshot");
    const { total } = data;
    for (;;) {
      expect(data.snapshot.length).toBeLessThanOrEqual(8000);
      parts.push(data.snapshot);
      if (data.cursor === undefined) break;
      ({ data } = await stack.call("snapshot", { cursor: data.cursor }));
    }
    const whole = parts.join("\n");
    expect(whole.length + 1).toBe(total);
    for (const row of [0, 77, 199]) expect(whole.match(new RegExp(`user${row}@example.com`, "g"))).toHaveLength(1);
    const stale = await stack.call("snapshot", { cursor: "t1s9999.5" });
    expect(stale.failure?.code).toBe("not_found");
  });

  it("can be of one element", async () => {
    await open("/shop");
    const full = await stack.call("snapshot", { mode: "full", characters: 22_000 });
    const card = refOf(full.text, "article");
    const { data } = await stack.call("snapshot", { ref: card, mode: "full" });
    expect(data.snapshot).toContain("Thing number 0");
    expect(data.snapshot).not.toContain("Thing number 1");
    expect(data.total).toBeLessThan(600);
  });

  it("reaches into frames of both kinds and into shadow trees, open and closed", async () => {
    const text = await open("/iframes");
    expect(text.match(/textbox "Word" f\d+e\d+/g)).toHaveLength(2);
    expect(text).toMatch(/button "Srcdoc button" f\d+e\d+/);
    const shadow = await open("/shadow");
    for (const name of ['button "Add one"', 'textbox "Deep"', 'button "Closed one"']) expect(shadow).toContain(name);
  });

  it("refuses a name of another document, even where the number is an element again", async () => {
    const ref = refOf(await open("/form"), '"Send"');
    await open("/tricks");
    const gone = await stack.call("act", { steps: [{ do: "click", ref }] });
    expect(gone.data.failed).toMatchObject({ code: "not_found" });
    // The same document again, loaded anew: its numbers may repeat, its elements are others.
    await open("/form");
    await stack.call("navigate", { url: `${stack.pages.other}/tricks` });
    const elsewhere = await stack.call("act", { steps: [{ do: "click", ref }] });
    expect(elsewhere.data.failed).toMatchObject({ code: "not_found" });
    for (const wrong of ["e99999999", "f7e3", "body", "e1; drop"]) {
      const { data } = await stack.call("act", { steps: [{ do: "click", ref: wrong }] });
      expect(data.failed.code).toMatch(/not_found|invalid_input/);
    }
  });

  it("of 30 MB comes, and so does one of a page that never ends loading", async () => {
    expect(await open("/large")).toContain('button "End"');
    const { text } = await stack.call("navigate", { url: `${stack.pages.url}/slow`, wait_seconds: 1 });
    expect(text).toContain("still loading");
    expect(text).toContain('h1 "Slow"');
  });
});

describe("reading", () => {
  it("gives the main text as Markdown, in parts", async () => {
    await open("/article");
    const { data } = await stack.call("read");
    expect(data.text).toMatch(/^# The long river\n\n## Chapter 0\n\nThe river turns twice/);
    expect(data.text).toContain(`[note 0-0](${stack.pages.url}/note/0-0)`);
    expect(data.text).not.toContain("Privacy");
    const next = await stack.call("read", { offset: data.next_offset });
    expect(next.data.text).not.toContain("# The long river");
    await open("/admin");
    expect((await stack.call("read")).data.text).toContain(
      "| User 1 |".replace("User 1", `[User 1](${stack.pages.url}/user/1)`),
    );
    await open("/shadow");
    expect((await stack.call("read")).data.text).toContain("Count **0**");
  });
});

describe("a picture", () => {
  it("fits what clients take, whatever the page", async () => {
    await open("/article");
    const { data, images } = await stack.call("screenshot", { full_page: true });
    expect(data.cut).toBe(true);
    for (const side of [data.width, data.height]) expect(side).toBeLessThanOrEqual(1568);
    expect(data.bytes).toBeLessThanOrEqual(1_000_000);
    expect(images[0]?.mimeType).toBe("image/jpeg");
    expect(Buffer.from(images[0]?.data ?? "", "base64").subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
  });

  it.each([{ full_page: true }, { full_page: true, format: "png" }, { format: "png" }])(
    "of noise fits too, asked for with %j",
    async (input) => {
      await open("/noise");
      const { data, images } = await stack.call("screenshot", input);
      for (const side of [data.width, data.height]) expect(side).toBeLessThanOrEqual(1568);
      const bytes = Buffer.from(images[0]?.data ?? "", "base64").byteLength;
      expect(bytes).toBe(data.bytes);
      expect(bytes).toBeLessThanOrEqual(1_000_000);
      expect(bytes).toBeGreaterThan(100_000);
    },
  );

  it("can be of one element, also in a frame", async () => {
    const text = await open("/iframes");
    const ref = refOf(text.slice(text.indexOf('"Far"')), '"Take"');
    const { data, images } = await stack.call("screenshot", { ref, format: "png" });
    expect(images[0]?.mimeType).toBe("image/png");
    const size = Buffer.from(images[0]?.data ?? "", "base64");
    expect([size.readUInt32BE(16), size.readUInt32BE(20)]).toEqual([data.width, data.height]);
    expect(data.width).toBeLessThan(120);
  });
});
