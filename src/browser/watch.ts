import type { Tab } from "./tab.ts";
import { factsOf } from "./frame-facts.ts";

const QUALITY = 60;

/**
 * A tab as it changes, for an `<img>`: parts of `multipart/x-mixed-replace; boundary=frame`. A viewer that is slow gets
 * fewer frames, not older ones: the browser takes the next when this one has been read.
 */
export function framesOf(tab: Tab): ReadableStream<Uint8Array> {
  const { client } = factsOf(tab.page.mainFrame());
  const session = tab.page.createCDPSession();
  let stop: (() => Promise<void>) | undefined;
  let acknowledge: (() => void) | undefined;
  return new ReadableStream({
    type: "bytes",
    async start(controller) {
      const own = await session;
      stop = async () => {
        await own.send("Page.stopScreencast").catch(() => undefined);
        await own.detach().catch(() => undefined);
      };
      own.on("Page.screencastFrame", ({ data, sessionId }) => {
        const jpeg = Uint8Array.fromBase64(data);
        const head = `--frame\r\ncontent-type: image/jpeg\r\ncontent-length: ${jpeg.byteLength}\r\n\r\n`;
        controller.enqueue(new TextEncoder().encode(head));
        controller.enqueue(jpeg);
        controller.enqueue(new TextEncoder().encode("\r\n"));
        const next = () => void own.send("Page.screencastFrameAck", { sessionId }).catch(() => undefined);
        if ((controller.desiredSize ?? 0) > 0) next();
        else acknowledge = next;
      });
      tab.page.once("close", () => controller.close());
      await own.send("Page.startScreencast", { format: "jpeg", quality: QUALITY, maxWidth: 1280, maxHeight: 1280 });
      await client.send("Page.bringToFront").catch(() => undefined);
    },
    pull() {
      acknowledge?.();
      acknowledge = undefined;
    },
    cancel: () => stop?.(),
  });
}
