/**
 * What of a person's request the gateway gets to see, all else stays here: cookies and the ticket, what names the person's
 * address or the way the request came (which would make the gateway refuse it), and what belongs to one connection.
 */
const TOWARDS_GATEWAY = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-length",
  "content-type",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-event-id",
  "origin",
  "pragma",
  "range",
  "sec-fetch-dest",
  "sec-fetch-mode",
  "sec-fetch-site",
  "sec-websocket-protocol",
  "user-agent",
]);

/**
 * What of the gateway's answer stays here. Cookies and cross-origin leave would reach past the Control UI's own origin,
 * and the rest is between the browser and whoever serves the host, or belongs to one connection.
 */
const NOT_TOWARDS_PERSON = new Set([
  "alt-svc",
  "connection",
  "keep-alive",
  "nel",
  "proxy-authenticate",
  "proxy-connection",
  "report-to",
  "reporting-endpoints",
  "set-cookie",
  "strict-transport-security",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
]);

/** The headers for the gateway; `token` is put in here and stands in no other place. */
export function towardsGateway(given: Headers, token: string): Headers {
  const headers = new Headers();
  for (const [name, value] of given) if (TOWARDS_GATEWAY.has(name)) headers.set(name, value);
  headers.set("authorization", `Bearer ${token}`);
  return headers;
}

/** The gateway's answer as a person's browser gets it. */
export function towardsPerson(answer: Response): Response {
  const named = (answer.headers.get("connection") ?? "").toLowerCase().split(/\s*,\s*/);
  const response = new Response(answer.body, answer);
  for (const [name] of answer.headers) {
    if (NOT_TOWARDS_PERSON.has(name) || named.includes(name) || name.startsWith("access-control-")) {
      response.headers.delete(name);
    }
  }
  response.headers.set("x-content-type-options", "nosniff");
  // What stands between may not hand it to those whom the guard would refuse.
  const cached = response.headers.get("cache-control");
  response.headers.set("cache-control", cached === null ? "no-store" : cached.replace(/\bpublic\b/i, "private"));
  return response;
}
