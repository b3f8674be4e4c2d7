import { z } from "zod";
import { Failure } from "../core/failure.ts";

/** The browser binding; this is the only file that knows its routes. */
export type BrowserPlatform = Pick<Fetcher, "fetch">;

/** The host is not looked at. */
const BASE = "https://browser.internal/v1/devtools/browser";
/** The longest the platform keeps a browser that is told nothing: one that we have lost is gone after it. */
const KEEP_ALIVE_MS = 600_000;

const startedSchema = z.object({ sessionId: z.string() });
const pagesSchema = z.array(z.object({ id: z.string(), type: z.string(), url: z.string(), title: z.string() }));

/** Starts a browser; the answer is its session's id. */
export async function acquire(platform: BrowserPlatform): Promise<string> {
  const response = await platform
    .fetch(`${BASE}?keep_alive=${KEEP_ALIVE_MS}`, { method: "POST" })
    .catch((cause: unknown) => {
      throw new Failure("upstream", "The browser could not be started.", { cause });
    });
  if (response.status === 429) {
    await response.body?.cancel();
    throw new Failure("limited", "No further browser may be started just now.", {
      hint: "Wait a minute, or close a browser that is not needed.",
    });
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new Failure("upstream", "The browser could not be started.", { cause: `status ${response.status}` });
  }
  return startedSchema.parse(await response.json()).sessionId;
}

/** The pages of a session, nobody being connected to it. Undefined when it has gone. */
export async function pagesOf(platform: BrowserPlatform, session: string) {
  const response = await platform.fetch(`${BASE}/${session}/json/list`);
  if (!response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  return pagesSchema.parse(await response.json()).filter(({ type }) => type === "page");
}

/** A DevTools socket of the session, not yet accepted: of the whole browser, or of one page. Undefined when it has gone. */
export async function socketOf(
  platform: BrowserPlatform,
  session: string,
  page?: string,
): Promise<WebSocket | undefined> {
  const path = page === undefined ? "" : `/page/${encodeURIComponent(page)}`;
  const response = await platform
    .fetch(`${BASE}/${session}${path}`, { headers: { upgrade: "websocket" } })
    // Of a session that ended, some platforms say so and others break.
    .catch(() => undefined);
  return response?.webSocket ?? undefined;
}

/** Ends the session; one that has ended already is as good. */
export async function release(platform: BrowserPlatform, session: string): Promise<void> {
  const response = await platform.fetch(`${BASE}/${session}`, { method: "DELETE" });
  await response.body?.cancel();
}
