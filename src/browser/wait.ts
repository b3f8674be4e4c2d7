import { pause } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { WaitRequest } from "./access.ts";
import { callIn } from "./in-page.ts";
import { DEFAULT_WAIT_MS } from "./limits.ts";
import TEXT from "./page/text.js";
import type { Tab } from "./tab.ts";

const LOOK_MS = 150;
const QUIET_MS = 500;

/** Waits until all that is asked for is so, or the time is over. Answers whether it is. */
export async function waitFor(tab: Tab, request: WaitRequest): Promise<boolean> {
  const { text, gone, url, idle, seconds, waitMs = DEFAULT_WAIT_MS } = request;
  if (seconds !== undefined) {
    await pause(seconds * 1000);
    if (text === undefined && gone === undefined && url === undefined && !idle) return true;
  }
  const until = Date.now() + waitMs;
  for (;;) {
    if (await met()) return true;
    if (Date.now() >= until) return false;
    await pause(LOOK_MS);
  }

  async function met(): Promise<boolean> {
    if (url !== undefined && !tab.page.url().includes(url)) return false;
    if (idle && tab.activity.quietMs < QUIET_MS) return false;
    if (text === undefined && gone === undefined) return true;
    const seen = await textOf(tab);
    return (text === undefined || seen.includes(text)) && (gone === undefined || !seen.includes(gone));
  }
}

/** All frames' text. A frame that is between two documents has none. */
async function textOf(tab: Tab): Promise<string> {
  const parts = await Promise.all(tab.page.frames().map((frame) => callIn(frame, TEXT).catch(() => "")));
  return parts.map(String).join("\n");
}

/** Whether a wait names something to wait for. */
export function checkWait(request: WaitRequest): void {
  const { text, gone, url, idle, seconds } = request;
  if ([text, gone, url, seconds].some((part) => part !== undefined) || idle) return;
  throw new Failure("invalid_input", "Nothing to wait for was given.", {
    hint: "Give text, gone, url, idle or seconds.",
  });
}
