import {
  acquire as acquireSession,
  connect as connectTo,
  type Browser,
  type BrowserWorker,
  type CDPSession,
  type Frame,
} from "@cloudflare/puppeteer";
import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { KEEP_ALIVE_MS } from "./limits.ts";

/** The one file that knows what puppeteer keeps to itself, and the paths of the binding. */

const HOST = "https://browser.internal";

/** Makes a browser; its id is all that is needed to reach it again. */
export async function acquire(binding: BrowserWorker): Promise<string> {
  try {
    return (await acquireSession(binding, { keep_alive: KEEP_ALIVE_MS })).sessionId;
  } catch (error) {
    throw new Failure("unavailable", "No browser could be had.", {
      hint: "Perhaps too many are open: close one with browser_session, or try again in a minute.",
      cause: error,
    });
  }
}

export function connect(binding: BrowserWorker, sessionId: string): Promise<Browser> {
  return connectTo(binding, sessionId);
}

/** Ends a browser whether or not anybody is connected to it. One that is gone already is no failure. */
export async function end(binding: BrowserWorker, sessionId: string): Promise<void> {
  const response = await binding.fetch(`${HOST}/v1/devtools/browser/${sessionId}`, { method: "DELETE" });
  await response.body?.cancel();
}

const pagesSchema = z.array(z.object({ id: z.string(), type: z.string(), url: z.string(), title: z.string() }));

/** The pages of a browser nobody here is connected to. Undefined: it has ended. */
export async function pagesOf(binding: BrowserWorker, sessionId: string) {
  const response = await binding.fetch(`${HOST}/v1/devtools/browser/${sessionId}/json/list`);
  if (!response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  return pagesSchema.parse(await response.json()).filter(({ type }) => type === "page");
}

/** DevTools of one page, not yet accepted. */
export async function pageSocket(binding: BrowserWorker, sessionId: string, page: string) {
  const address = `${HOST}/v1/devtools/browser/${sessionId}/page/${page}`;
  const response = await binding.fetch(address, { headers: { upgrade: "websocket" } });
  return response.webSocket ?? undefined;
}

/** A frame as the protocol sees it. */
export interface FrameFacts {
  id: string;
  /** Changes with every document the frame shows. */
  loaderId: string;
  /** Speaks to the process the frame is in. */
  client: CDPSession;
}

export function factsOf(frame: Frame): FrameFacts {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there, but left out of the published types.
  const inner = frame as unknown as { _id: string; _loaderId: string; client: CDPSession };
  return { id: inner._id, loaderId: inner._loaderId, client: inner.client };
}
