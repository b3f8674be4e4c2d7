import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BrowserStack, startBrowserStack } from "./stack.ts";

/** Of a page that is drawn anew sixty times a second a viewer gets so many. */
const MOST_PER_SECOND = 10;

let stack: BrowserStack;

beforeAll(async () => {
  stack = await startBrowserStack();
  // The one that looks at the pictures.
  await stack.call("navigate", { url: `${stack.pages.url}/inner` }, "judge");
});

afterAll(() => stack?.close());

afterEach(() => stack.call("session", { do: "close" }));

/** Somebody who looks at the stream as the admin page's <img> does. */
async function look() {
  const gone = new AbortController();
  const response = await fetch(stack.urlOf("/watch?principal=me"), { signal: gone.signal });
  const pictures: Buffer[] = [];
  const began = Date.now();
  let ended = false;
  const reading = (async () => {
    const head = "--frame\r\ncontent-type: image/jpeg\r\n\r\n";
    let rest = Buffer.alloc(0);
    for await (const chunk of response.body ?? []) {
      rest = Buffer.concat([rest, chunk]);
      // A browser shows a picture when the head of the next one is there.
      for (let end = rest.indexOf(`\r\n${head}`); end >= 0; end = rest.indexOf(`\r\n${head}`)) {
        expect(rest.subarray(0, head.length).toString()).toBe(head);
        pictures.push(rest.subarray(head.length, end));
        rest = rest.subarray(end + 2);
      }
    }
    expect(rest.subarray(head.length)).toEqual(
      Buffer.concat([pictures.at(-1) ?? rest, Buffer.from("\r\n--frame--\r\n")]),
    );
    ended = true;
  })();
  // How it ends is what `ended` says.
  reading.catch(() => undefined);
  return {
    pictures,
    ended: () => ended,
    seconds: () => (Date.now() - began) / 1000,
    /** The colour in the middle of the newest picture. */
    colour: async (): Promise<string> => {
      const jpeg = pictures.at(-1);
      if (!jpeg) return "none";
      const { data } = await stack.call(
        "evaluate",
        {
          expression: `(async () => {
            const image = new Image();
            image.src = "data:image/jpeg;base64,${jpeg.toString("base64")}";
            await image.decode();
            const paper = new OffscreenCanvas(image.width, image.height).getContext("2d");
            paper.drawImage(image, 0, 0);
            const [r, g, b] = paper.getImageData(image.width / 2, image.height / 2, 1, 1).data;
            return [r > 127, g > 127, b > 127].map(Number).join("");
          })()`,
        },
        "judge",
      );
      return String(data.value);
    },
    leave: () => gone.abort(),
  };
}

const BLUE = '"001"';
const GREEN = '"010"';
const WHITE = '"111"';

const attached = async () => Number(await (await stack.get("/attached?principal=me")).text());

async function open(path: string): Promise<string> {
  const { text, failure } = await stack.call("navigate", { url: stack.pages.url + path });
  expect(failure).toBeUndefined();
  return text;
}

const click = (text: string, words: string) =>
  stack.call("act", {
    steps: [{ do: "click", ref: new RegExp(`"${words}" (e\\d+)`).exec(text)?.[1] }],
    show: "nothing",
  });

describe("a person who watches a session", () => {
  it("gets no more pictures than can be followed, and at last the page as it is at rest", async () => {
    const text = await open("/moving");
    const viewer = await look();
    await expect.poll(viewer.colour).toBe(BLUE);
    await click(text, "Move");
    await stack.call("wait", { idle: true });
    await expect.poll(viewer.colour).toBe(GREEN);
    expect(viewer.pictures.length).toBeGreaterThan(2);
    expect(viewer.pictures.length).toBeLessThanOrEqual(viewer.seconds() * MOST_PER_SECOND + 1);
    viewer.leave();
  });

  it("goes with the active tab, when it is another one and when it was closed", async () => {
    await open("/moving");
    const viewer = await look();
    await expect.poll(viewer.colour).toBe(BLUE);
    const before = await attached();
    await stack.call("tabs", { do: "new" });
    await expect.poll(viewer.colour).toBe(WHITE);
    await stack.call("tabs", { do: "select", tab: "t1" });
    await expect.poll(viewer.colour).toBe(BLUE);
    await stack.call("tabs", { do: "close", tab: "t1" });
    await expect.poll(viewer.colour).toBe(WHITE);
    await open("/moving");
    await expect.poll(viewer.colour).toBe(BLUE);
    // The last one: there is a new one in its place.
    await stack.call("tabs", { do: "close", tab: "t2" });
    await expect.poll(viewer.colour).toBe(WHITE);
    // What belongs to one tab and to one viewer, as in the beginning.
    await expect.poll(attached).toBe(before);
    expect(viewer.ended()).toBe(false);
    viewer.leave();
  });

  it("leaves nothing behind, whether gone at once, at a dialog or one of several", async () => {
    const text = await open("/dialogs");
    const before = await attached();
    const viewers = await Promise.all([look(), look(), look()]);
    for (const viewer of viewers) await expect.poll(() => viewer.pictures.length).toBeGreaterThan(0);
    expect(await attached()).toBe(before + 3);
    viewers[0]?.leave();
    await expect.poll(attached).toBe(before + 2);
    await click(text, "Alert");
    viewers[1]?.leave();
    await expect.poll(attached).toBe(before + 1);
    (await look()).leave();
    await expect.poll(attached).toBe(before + 1);
    await stack.call("dialog", { accept: true });
    expect(viewers[2]?.ended()).toBe(false);
    viewers[2]?.leave();
    await expect.poll(attached).toBe(before);
    expect((await stack.call("snapshot")).failure).toBeUndefined();
  });

  it("may come while a dialog is open, and sees the page when it is answered", async () => {
    const text = await open("/moving");
    await stack.call("evaluate", {
      expression:
        "document.querySelector('button').onclick = () => { alert('Wait'); document.body.style.background = 'rgb(0, 255, 0)'; }",
    });
    expect((await click(text, "Move")).data.page.dialog.message).toBe("Wait");
    const viewer = await look();
    await stack.call("dialog", { accept: true });
    await expect.poll(viewer.colour).toBe(GREEN);
    viewer.leave();
  });

  it.each([
    ["is closed", () => stack.call("session", { do: "close" })],
    ["ends by itself", () => stack.get("/end?principal=me")],
  ])("is at the end of the stream when the browser %s", async (_how, close) => {
    await open("/moving");
    const viewer = await look();
    await expect.poll(viewer.colour).toBe(BLUE);
    await close();
    await expect.poll(viewer.ended).toBe(true);
  });

  it("is at the end of the stream when the page has closed the last tab", async () => {
    await open("/moving");
    const viewer = await look();
    await expect.poll(viewer.colour).toBe(BLUE);
    const before = await attached();
    await stack.get("/close-tabs?principal=me");
    await expect.poll(viewer.ended).toBe(true);
    expect(await attached()).toBeLessThan(before);
  });
});
