import type { CDPSession } from "@cloudflare/puppeteer";
import { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { Picture, ScreenshotRequest } from "./access.ts";
import { callOn } from "./in-page.ts";
import { MOST_IMAGE_BYTES, MOST_IMAGE_SIDE } from "./limits.ts";
import { originOf } from "./pointer.ts";
import type { Tab } from "./tab.ts";
import { factsOf } from "./frame-facts.ts";

/** Below this nothing is readable: what is larger is cut instead. */
const LEAST_SCALE = 0.5;

/** Tried in turn until the picture is small enough. */
const TRIES = [
  { quality: 80, scale: 1 },
  { quality: 60, scale: 1 },
  { quality: 45, scale: 0.8 },
  { quality: 35, scale: 0.6 },
] as const;

interface Clip {
  x: number;
  y: number;
  width: number;
  height: number;
}

const boxSchema = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });
const BOX =
  "function () { this.scrollIntoView({block: 'nearest', behavior: 'instant'}); const {x, y, width, height} = this.getBoundingClientRect(); return {x, y, width, height}; }";

/** A picture that a client takes: at most 1568 pixels a side and 1 MB. */
export async function screenshot(tab: Tab, { ref, fullPage, format = "jpeg" }: ScreenshotRequest): Promise<Picture> {
  const { client } = factsOf(tab.page.mainFrame());
  const { cssVisualViewport: view, cssContentSize: content } = await client.send("Page.getLayoutMetrics");
  const wanted: Clip =
    ref === undefined
      ? fullPage
        ? { x: 0, y: 0, width: content.width, height: content.height }
        : { x: view.pageX, y: view.pageY, width: view.clientWidth, height: view.clientHeight }
      : await boxOf(tab, ref);
  const longest = MOST_IMAGE_SIDE / LEAST_SCALE;
  const clip = { ...wanted, width: Math.min(wanted.width, longest), height: Math.min(wanted.height, longest) };
  const cut = clip.width < wanted.width || clip.height < wanted.height;
  const picture = await small(client, clip, format, fullPage === true || ref !== undefined);
  return cut ? { ...picture, cut } : picture;
}

async function boxOf(tab: Tab, ref: string): Promise<Clip> {
  const element = await tab.find(ref);
  const box = boxSchema.parse(await callOn(element, BOX));
  if (box.width < 1 || box.height < 1) throw new Failure("conflict", `${ref} has no size: it is not visible.`);
  const origin = await originOf(tab.page, element.frame);
  // Scrolling to it may have moved the page.
  const { client } = factsOf(tab.page.mainFrame());
  const { cssVisualViewport: now } = await client.send("Page.getLayoutMetrics");
  return { ...box, x: box.x + origin.x + now.pageX, y: box.y + origin.y + now.pageY };
}

async function small(client: CDPSession, clip: Clip, format: "jpeg" | "png", beyond: boolean): Promise<Picture> {
  const fit = Math.min(1, MOST_IMAGE_SIDE / Math.max(clip.width, clip.height));
  let last = { data: "", bytes: Number.POSITIVE_INFINITY, scale: fit };
  for (const [index, { quality, scale }] of TRIES.entries()) {
    // A picture that is too large without loss becomes one with.
    const type = index === 0 ? format : "jpeg";
    const { data } = await client.send("Page.captureScreenshot", {
      format: type,
      ...(type === "jpeg" ? { quality } : {}),
      clip: { ...clip, scale: fit * scale },
      captureBeyondViewport: beyond,
      optimizeForSpeed: type === "png",
    });
    last = { data, bytes: bytesOf(data), scale: fit * scale };
    if (last.bytes <= MOST_IMAGE_BYTES) {
      return {
        data,
        mimeType: `image/${type}`,
        width: Math.round(clip.width * last.scale),
        height: Math.round(clip.height * last.scale),
        bytes: last.bytes,
      };
    }
  }
  throw new Failure("too_large", `The picture has ${last.bytes} bytes at the least quality.`, {
    hint: "Take one of a single element, with ref.",
  });
}

/** The length of what base64 stands for. */
export function bytesOf(base64: string): number {
  return Math.floor((base64.length * 3) / 4) - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
}
