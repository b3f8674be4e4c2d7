import type { Visitor } from "../auth/access.ts";
import { escapeHtml, page } from "../auth/page.ts";
import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";

/** Where its scripts and styles are. The build names each by its content. */
const NAMED_BY_CONTENT = "/admin/assets/";

/**
 * The page runs its own scripts and nothing else, talks to this Worker only, and nobody frames it. "data:" is for
 * pictures that come inside of an answer.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** What of a request tells the files apart. The ticket stays here. */
const PASSED_ON = ["accept-encoding", "if-none-match"];

export interface PageServices {
  /** The guard: who Access lets through; throws a Failure for everybody else. */
  admit: (request: Request) => Promise<Visitor>;
  /** The built page's files, by the paths of the requests. */
  assets: Pick<Fetcher, "fetch">;
}

/** The admin page's files. Whom the guard has not admitted gets none of them, and does not learn which there are. */
export async function handlePage(request: Request, { admit, assets }: PageServices): Promise<Response> {
  try {
    await admit(request);
    return await serve(request, assets);
  } catch (error) {
    const failure = toFailure(error);
    log("info", "page", { outcome: failure.code, cause: failure.cause });
    return refusal(failure);
  }
}

async function serve(request: Request, assets: PageServices["assets"]): Promise<Response> {
  const { method, url, headers } = request;
  if (method !== "GET" && method !== "HEAD") {
    return new Response(null, { status: 405, headers: { ...HEADERS, allow: "GET, HEAD" } });
  }
  const passed = PASSED_ON.flatMap((name): [string, string][] => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const found = await assets.fetch(new Request(url, { method, headers: passed, redirect: "manual" }));
  if (found.status === 404) throw new Failure("not_found", "There is no such page.", { hint: "The page is /admin/." });
  const response = new Response(found.body, found);
  for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
  const kept = new URL(url).pathname.startsWith(NAMED_BY_CONTENT) && found.ok;
  // Private: what stands between may not hand it to those whom the guard would refuse.
  response.headers.set("cache-control", kept ? "private, max-age=31536000, immutable" : "private, no-cache");
  return response;
}

function refusal({ message, hint, status }: Failure): Response {
  const told = `<h1>${escapeHtml(message)}</h1>${hint === undefined ? "" : `<p>${escapeHtml(hint)}</p>`}`;
  return page("Moltbot", told, { status });
}
