import { type HTTPResponse, TimeoutError } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import type { NavigateRequest } from "./access.ts";
import { DEFAULT_WAIT_MS } from "./limits.ts";
import { allowedUrl, type UrlPolicy } from "./policy.ts";
import type { Tab } from "./tab.ts";

/** A page that goes on loading is shown as it is after this. */
const SETTLE_MS = 1_500;

/** Goes to a page and waits until it can be looked at. Answers with the HTTP status, if there is one. */
export async function navigate(tab: Tab, request: NavigateRequest, policy: UrlPolicy): Promise<number | undefined> {
  const { page } = tab;
  const { until = "domcontentloaded", waitMs = DEFAULT_WAIT_MS, move } = request;
  const options = { waitUntil: until === "idle" ? ("networkidle2" as const) : until, timeout: waitMs };
  const url = request.url === undefined ? undefined : allowedUrl(request.url, policy);
  tab.takeRefusal();
  let response: HTTPResponse | null = null;
  try {
    if (url !== undefined) response = await page.goto(url, options);
    else if (move === "back") response = await page.goBack(options);
    else if (move === "forward") response = await page.goForward(options);
    else response = await page.reload(options);
  } catch (error) {
    const refused = tab.takeRefusal();
    if (refused !== undefined) throw new Failure("forbidden", `Not opened: ${refused}`);
    if (!(error instanceof TimeoutError)) throw notLoaded(error);
    tab.note(`It was still loading after ${waitMs} ms.`);
  }
  await tab.activity.settled(SETTLE_MS);
  return response?.status();
}

function notLoaded(error: unknown): Failure {
  const code = error instanceof Error ? /net::ERR_[A-Z_]+/.exec(error.message)?.[0] : undefined;
  return new Failure("upstream", `The page did not load${code === undefined ? "" : `: ${code}`}.`, {
    hint: "Is the address right? A file is fetched with browser_download.",
    cause: error,
  });
}
