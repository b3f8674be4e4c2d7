import { escapeHtml } from "../auth/page.ts";
import type { GatewayStatus } from "../sandbox/lifecycle.ts";
import SCRIPT from "./page/waiting.js";
import { STYLE } from "./style.ts";

/** What of this origin is the Worker's and not the gateway's. */
export const OWN_PATH = "/_moltbot/";
/** GET: how the bot is, as JSON. */
export const STATUS_PATH = `${OWN_PATH}status`;
/** POST: wakes it, or tries again. */
export const WAKE_PATH = `${OWN_PATH}wake`;
const SCRIPT_PATH = `${OWN_PATH}waiting.js`;
const STYLE_PATH = `${OWN_PATH}waiting.css`;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** How the bot is, for the page that waits for it. The log's lines are only there when it does not start. */
export interface Waiting extends GatewayStatus {
  log?: string[];
}

export const WAITING_FILES: ReadonlyMap<string, () => Response> = new Map([
  [SCRIPT_PATH, () => file(SCRIPT, "text/javascript")],
  [STYLE_PATH, () => file(STYLE, "text/css")],
]);

/**
 * The page a person sees until the gateway is ready: where the start is, since when, or why it failed with the end of the
 * log. Its script asks for the status each second and loads the page anew when it is ready. What the container wrote
 * gets in as the JSON of an attribute, escaped, and from there as text.
 */
export function waitingPage(waiting: Waiting): Response {
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Moltbot</title><link rel="stylesheet" href="${STYLE_PATH}"><script src="${SCRIPT_PATH}" defer></script></head>
<body><main data-waiting="${escapeHtml(JSON.stringify(waiting))}" data-status="${STATUS_PATH}" data-wake="${WAKE_PATH}">
<h1>Moltbot</h1>
<p id="phase" role="status"></p>
<ol id="steps"><li data-phase="restoring">Put the memory back</li><li data-phase="starting">Start the gateway</li><li data-phase="ready">Open the page</li></ol>
<progress id="progress" max="3" aria-label="Start"></progress>
<p id="since"></p>
<p id="reason"></p>
<pre id="log" tabindex="0" aria-label="End of the gateway's log"></pre>
<button id="wake" type="button"></button>
<noscript><p>This page needs scripts to show how the Moltbot is. Load it again in a moment.</p></noscript>
</main></body></html>`;
  return new Response(html, {
    // Nothing that keeps pages, the gateway's own service worker included, takes this one for the real one.
    status: 503,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": POLICY,
      "cache-control": "no-store",
      "referrer-policy": "same-origin",
      "retry-after": "2",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    },
  });
}

function file(text: string, type: string): Response {
  return new Response(text, {
    headers: {
      "content-type": `${type}; charset=utf-8`,
      "cache-control": "private, no-cache",
      "x-content-type-options": "nosniff",
    },
  });
}
