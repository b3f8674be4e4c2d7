import type { Visitor } from "../auth/access.ts";
import { Failure } from "../core/failure.ts";

/**
 * What may come to the Control UI's host beyond what Access lets through. The ticket comes along with whatever another
 * site makes a browser send, and the gateway's token is put in behind this guard: nothing but a person's own way to a
 * page may come from elsewhere.
 */
export function requireOwnPages(request: Request, visitor: Visitor, controlUrl: string): void {
  if (visitor.kind !== "person") throw new Failure("forbidden", "The Control UI is for people.");
  const { headers, method } = request;
  const isSocket = headers.get("upgrade") !== null;
  const origin = headers.get("origin");
  // A browser puts it on every WebSocket and on every request that can change something.
  if (isSocket || (method !== "GET" && method !== "HEAD")) {
    if (origin !== controlUrl) throw foreign();
    return;
  }
  if (origin !== null && origin !== controlUrl) throw foreign();
  const site = headers.get("sec-fetch-site");
  const elsewhere = site === "cross-site" || site === "same-site";
  if (elsewhere && !isNavigation(request)) throw foreign();
}

/** Somebody goes to a page, in a tab and not in a frame of another one. */
export function isNavigation({ headers, method }: Request): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const mode = headers.get("sec-fetch-mode");
  // Browsers that do not say it do not send a page's own requests with this type either.
  if (mode === null) return (headers.get("accept") ?? "").includes("text/html");
  return mode === "navigate" && headers.get("sec-fetch-dest") === "document";
}

/** The person did something for it, such as a click. A browser that opens its tabs of yesterday does not say so. */
export function isByHand({ headers }: Request): boolean {
  return headers.get("sec-fetch-user") === "?1";
}

function foreign(): Failure {
  return new Failure("forbidden", "This request does not come from the Control UI's own pages.");
}
