import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Pages, servePages } from "../bridge/pages.ts";
import { connect, type Session, signIn } from "./client.ts";

const bot = inject("bot");
const SKILL = "/opt/moltbot/skills/browser";
let session: Session;
let pages: Pages;

beforeAll(async () => {
  pages = await servePages();
  session = await connect(bot, await signIn(bot));
});

afterAll(async () => {
  await session?.close();
  await pages?.close();
});

/** One step with the bot's browser tool. */
const browser = (input: Record<string, unknown>) => `tool: browser ${JSON.stringify(input)}`;

describe("the bot's browser", () => {
  it("opens a page that a chat asks for, fills its form and sends it", async () => {
    const { text } = await session.chat(`browse: ${pages.url}/form`);
    const refOf = (element: RegExp) => new RegExp(`${element.source}[^\\n]*?\\[ref=(\\w+)\\]`).exec(text)?.[1];
    const [name, send] = [refOf(/textbox \\?"Name/), refOf(/button \\?"Send/)];
    const done = await session.chat(
      [
        browser({ action: "act", request: { kind: "fill", fields: [{ ref: name, type: "text", value: "Ada" }] } }),
        browser({ action: "act", request: { kind: "click", ref: send } }),
      ].join("\n"),
    );
    await expect
      .poll(() => pages.asked, { timeout: 60_000, message: done.text })
      .toContain("/sent?name=Ada&colour=red&file=");
  });

  it("sends a picture of a page to the client", async () => {
    const picture = "/workspace/form.png";
    const steps = [`run: node ${SKILL}/screenshot.ts ${pages.url}/form ${picture}`, `picture: ${picture}`];
    const { images, text } = await session.chat(steps.join("\n"));
    expect(images, text).toHaveLength(1);
    expect(images[0]?.mimeType).toBe("image/png");
  });

  it("makes a video of a page, or says what it lacks", async ({ skip }) => {
    const { text } = await session.chat(
      `run: node ${SKILL}/video.ts ${pages.url}/moving /workspace/page.mp4 --seconds 2; which ffmpeg || echo none`,
    );
    if (/\bnone\b/.test(text)) {
      expect(text).toContain("There is no ffmpeg here");
      skip("This machine has no ffmpeg, so only the message was tested: node local/setup.mjs ffmpeg installs it.");
    }
    expect(text).toContain("page.mp4: 2 s, 50 frames");
    const head = await session.call("command_run", { command: "head -c 12 /workspace/page.mp4 | tail -c 8" });
    expect(head.text).toContain("ftypisom");
  });

  it("cannot be sent to a private address", async () => {
    const before = pages.asked.length;
    const { text } = await session.chat(`browse: ${pages.forbiddenUrl}/form`);
    expect(text).toContain("is not a public address");
    expect(pages.asked).toHaveLength(before);
  });
});
