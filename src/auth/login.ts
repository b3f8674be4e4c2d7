import {
  AuthorizationError,
  authorizationErrorRedirect,
  CimdFetchError,
  type OAuthHelpers,
} from "@cloudflare/workers-oauth-provider";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { SCOPE_NAMES } from "../core/scope.ts";
import { consentPage } from "./consent.ts";
import { errorPage } from "./page.ts";
import { finishLogin, loginUrl, type PendingLogin } from "./upstream.ts";

export const AUTHORIZE_PATH = "/authorize";
export const CALLBACK_PATH = "/callback";

const pendingSchema = z.object({ verifier: z.string(), nonce: z.string() }) satisfies z.ZodType<PendingLogin>;

/**
 * The three steps a person goes through in the browser: consent, sign-in at the issuer, back to the client.
 * Consent comes first, so that nobody can be sent to the issuer by a client they did not agree to.
 */
export async function handleLogin(request: Request, oauth: OAuthHelpers, config: Config): Promise<Response> {
  const { pathname } = new URL(request.url);
  try {
    if (pathname === CALLBACK_PATH) return await callback(request, oauth, config);
    if (request.method === "POST") return await decide(request, oauth, config);
    return await ask(request, oauth);
  } catch (error) {
    return explain(error);
  }
}

async function ask(request: Request, oauth: OAuthHelpers): Promise<Response> {
  const authRequest = await oauth.parseAuthRequest(request);
  const details = await oauth.describeConsent(authRequest);
  const { handle, headers } = await oauth.beginConsent(authRequest);
  return consentPage(details, handle, headers);
}

async function decide(request: Request, oauth: OAuthHelpers, config: Config): Promise<Response> {
  const form = await request.formData().catch((cause: unknown) => {
    throw new Failure("invalid_input", "This is not the consent form.", {
      hint: "Start again from your MCP client.",
      cause,
    });
  });
  const shown = form.get("handle");
  const handle = typeof shown === "string" ? shown : "";
  if (form.get("decision") !== "approve") {
    const denied = await oauth.denyConsent(request, handle);
    return redirect(denied.redirectTo, denied.headers);
  }
  const ticked = new Set(form.getAll("scope"));
  const approved = await oauth.approveConsent(request, handle, {
    scope: SCOPE_NAMES.filter((scope) => ticked.has(scope)),
  });
  const { pending, url } = await loginUrl(config.login, redirectUri(config));
  const { state, headers } = await oauth.beginUpstream(approved.request, { data: pending, headers: approved.headers });
  return redirect(url(state), headers);
}

async function callback(request: Request, oauth: OAuthHelpers, config: Config): Promise<Response> {
  const { request: authRequest, data, headers } = await oauth.finishUpstream(request);
  const code = new URL(request.url).searchParams.get("code");
  if (code === null) return redirect(authorizationErrorRedirect(authRequest, "access_denied"), headers);
  const principal = await finishLogin(config.login, redirectUri(config), code, pendingSchema.parse(data));
  const { redirectTo } = await oauth.completeAuthorization({
    request: authRequest,
    userId: principal.id,
    metadata: {},
    scope: authRequest.scope,
    props: principal,
  });
  log("info", "login", { who: principal.id, client: authRequest.clientId, scope: authRequest.scope, outcome: "ok" });
  return redirect(redirectTo, headers);
}

function explain(error: unknown): Response {
  if (error instanceof AuthorizationError) {
    if (error.redirectTo) return redirect(error.redirectTo, new Headers());
    log("warn", "login", { outcome: error.code, cause: error.description });
    return errorPage(
      400,
      "This sign-in link does not work.",
      "It may have expired or been used. Start again from your MCP client.",
    );
  }
  if (error instanceof CimdFetchError) {
    log("warn", "login", { outcome: "client_unverified", cause: error });
    return errorPage(
      400,
      "This app could not be verified.",
      "Its published description could not be read. Try again, or tell its maker.",
    );
  }
  const failure = toFailure(error);
  log(failure.status >= 500 ? "error" : "warn", "login", { outcome: failure.code, cause: failure.cause });
  return errorPage(failure.status, failure.message, failure.hint ?? "Start again from your MCP client.");
}

function redirectUri(config: Config): string {
  return `${config.publicUrl}${CALLBACK_PATH}`;
}

function redirect(to: string, headers: Headers): Response {
  headers.set("location", to);
  headers.set("cache-control", "no-store");
  return new Response(null, { status: 302, headers });
}
