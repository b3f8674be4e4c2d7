import { Failure } from "../../core/failure.ts";

/** The browser binding: the only file of this folder that knows its routes. */
export type BrowserPlatform = Pick<Fetcher, "fetch">;

/** The host is not looked at. */
const BASE = "https://browser.internal/v1/devtools/browser";
/** The longest the platform keeps a browser that is told nothing. */
const KEEP_ALIVE_MS = 600_000;

/** Starts a browser; the answer is its session's id. */
export async function acquire(platform: BrowserPlatform): Promise<string> {
  const response = await platform.fetch(`${BASE}?keep_alive=${KEEP_ALIVE_MS}`, { method: "POST" });
  if (response.status === 429) {
    throw new Failure("limited", "No further browser may be started just now.", {
      hint: "Wait a minute, or close a browser that is not needed.",
    });
  }
  const body: unknown = response.ok ? await response.json() : undefined;
  if (typeof body === "object" && body !== null && "sessionId" in body && typeof body.sessionId === "string") {
    return body.sessionId;
  }
  throw new Failure("upstream", "The browser could not be started.", { cause: `status ${response.status}` });
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
