import { Failure } from "../../core/failure.ts";
import { log } from "../../core/log.ts";

export interface Provider {
  /** Without a trailing slash; "/v1/messages" is added. */
  baseUrl: string;
  apiKey: string | undefined;
}

/** The calls the gateway makes; nothing else of the provider can be reached through the bridge. */
const PATHS = new Set(["/v1/messages", "/v1/messages/count_tokens"]);

/** Response headers that mean something to the gateway; the rest stay out, for they may name accounts. */
const PASSED_BACK = ["content-type", "retry-after", "request-id"];

/**
 * Sends the gateway's model call to the provider and streams the answer back as it comes. The provider's key is
 * added here: headers are built from scratch, so nothing the container sends can override it.
 */
export async function relayModelCall(request: Request, path: string, provider: Provider): Promise<Response> {
  if (request.method !== "POST" || !PATHS.has(path)) {
    throw new Failure("not_found", "The model bridge has no such call.", { hint: "It takes POST /v1/messages." });
  }
  const started = Date.now();
  const headers = new Headers({
    "content-type": "application/json",
    "anthropic-version": request.headers.get("anthropic-version") ?? "2023-06-01",
  });
  const beta = request.headers.get("anthropic-beta");
  if (beta !== null) headers.set("anthropic-beta", beta);
  if (provider.apiKey !== undefined) headers.set("x-api-key", provider.apiKey);
  const answer = await fetch(provider.baseUrl + path, {
    method: "POST",
    headers,
    body: request.body,
    signal: request.signal,
    redirect: "manual",
  }).catch((cause: unknown) => {
    throw new Failure("upstream", "The model provider cannot be reached.", {
      hint: "Check ANTHROPIC_BASE_URL.",
      cause,
    });
  });
  log(answer.ok ? "info" : "warn", "model.call", { outcome: answer.status, ms: Date.now() - started });
  const kept = new Headers({ "cache-control": "no-store" });
  for (const name of PASSED_BACK) {
    const value = answer.headers.get(name);
    if (value !== null) kept.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers: kept });
}
