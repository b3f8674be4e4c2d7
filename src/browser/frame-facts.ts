import type { CDPSession, Frame } from "@cloudflare/puppeteer";

/** A frame as the protocol sees it. */
export interface FrameFacts {
  id: string;
  /** Changes with every document the frame shows. */
  loaderId: string;
  /** Speaks to the process the frame is in. */
  client: CDPSession;
}

/** The one place that knows what puppeteer keeps to itself. */
export function factsOf(frame: Frame): FrameFacts {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there, but left out of the published types.
  const inner = frame as unknown as { _id: string; _loaderId: string; client: CDPSession };
  return { id: inner._id, loaderId: inner._loaderId, client: inner.client };
}
