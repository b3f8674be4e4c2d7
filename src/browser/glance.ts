import { z } from "zod";
import { raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { Picture, TabView } from "./access.ts";
import { type BrowserPlatform, pagesOf, socketOf } from "./binding.ts";
import { MOST_IMAGE_BYTES } from "./limits.ts";
import { bytesOf } from "./screenshot.ts";

const QUALITY = 60;
/** A page with an open dialog gives no picture; its address is known all the same. */
const PICTURE_MS = 5_000;

const layoutSchema = z.object({
  result: z.object({ cssVisualViewport: z.object({ clientWidth: z.number(), clientHeight: z.number() }) }),
});
const shotSchema = z.object({ result: z.object({ data: z.string() }) });

/**
 * A look at a browser that is somebody else's: its pages, and the first one's picture. Nothing of it is changed, no
 * window sized and no tab brought to the front, for its owner is at work.
 */
export async function glance(
  binding: BrowserPlatform,
  sessionId: string,
): Promise<{ tabs: TabView[]; picture?: Picture }> {
  const pages = await pagesOf(binding, sessionId);
  if (!pages) throw new Failure("not_found", "That browser has ended.");
  const tabs = pages.map(({ url, title }, index) => ({ tab: `b${index + 1}`, url, title, active: index === 0 }));
  const first = pages[0];
  const picture = first && (await pictureOf(binding, sessionId, first.id));
  return picture && picture.bytes <= MOST_IMAGE_BYTES ? { tabs, picture } : { tabs };
}

async function pictureOf(binding: BrowserPlatform, sessionId: string, page: string): Promise<Picture | undefined> {
  const socket = await socketOf(binding, sessionId, page);
  if (!socket) return undefined;
  const signal = AbortSignal.timeout(PICTURE_MS);
  const asked = (id: number, method: string, params: Record<string, unknown>): Promise<unknown> => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    socket.addEventListener("message", ({ data }) => {
      const answer: unknown = typeof data === "string" ? JSON.parse(data) : undefined;
      if (z.looseObject({ id: z.literal(id) }).safeParse(answer).success) resolve(answer);
    });
    socket.addEventListener("close", () => resolve(undefined));
    socket.send(JSON.stringify({ id, method, params }));
    return raced(promise, signal);
  };
  socket.accept();
  try {
    const layout = layoutSchema.parse(await asked(1, "Page.getLayoutMetrics", {}));
    const { clientWidth: width, clientHeight: height } = layout.result.cssVisualViewport;
    const { data } = shotSchema.parse(
      await asked(2, "Page.captureScreenshot", { format: "jpeg", quality: QUALITY }),
    ).result;
    return { data, mimeType: "image/jpeg", width, height, bytes: bytesOf(data) };
  } catch {
    // Without a picture there is still the list.
    return undefined;
  } finally {
    socket.close(1000, "seen");
  }
}
