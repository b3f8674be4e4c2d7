import { type AuthRequest, authorizationErrorRedirect, type OAuthHelpers } from "@cloudflare/workers-oauth-provider";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import { Failure } from "../core/failure.ts";
import type { JournalEntry } from "../core/journal.ts";
import { SCOPE_NAMES } from "../core/scope.ts";
import { consentPage } from "./consent.ts";
import {
  familiarCookie,
  familiarOf,
  forgetCookies,
  newSubject,
  REMEMBERED_SECONDS,
  rememberSecret,
} from "./familiar.ts";
import { type GrantMetadata, liveGrant } from "./grants.ts";
import { explain } from "./explain.ts";
import type { LoginServices } from "./provider.ts";
import { linkAddress } from "./store.ts";
import { finishLogin, loginUrl } from "./upstream.ts";

export const AUTHORIZE_PATH = "/authorize";
export const CALLBACK_PATH = "/callback";

/** Kept on the server while the person is at the issuer. */
const pendingSchema = z.object({
  verifier: z.string(),
  nonce: z.string(),
  /** The name under which this browser keeps the approval that has just been given. */
  subject: z.string(),
  /** Who that name, and every approval under it, belongs to; not there in a browser that knows nobody. */
  expected: z.string().optional(),
  /** The person agreed earlier and was not asked this time. */
  remembered: z.boolean(),
  /** Whether the person need not be asked the next time. */
  keep: z.boolean(),
});
type Pending = z.output<typeof pendingSchema>;

interface Login {
  request: Request;
  oauth: OAuthHelpers;
  config: Config;
  services: LoginServices;
}

/**
 * The three steps a person goes through in the browser: consent, sign-in at the issuer, back to the client.
 * Consent comes first, so that nobody can be sent to the issuer by a client they did not agree to.
 */
export async function handleLogin(login: Login): Promise<Response> {
  const { request, services } = login;
  const { pathname } = new URL(request.url);
  const entry: JournalEntry = {
    kind: "login",
    at: Date.now(),
    principal: "unknown",
    action: "begin",
    outcome: "ok",
    ms: 0,
  };
  try {
    if (pathname === CALLBACK_PATH) return await callback(login, entry);
    if (request.method === "POST") return await decide(login, entry);
    return await ask(login, entry);
  } catch (error) {
    const { response, outcome } = explain(error);
    entry.outcome = outcome;
    return response;
  } finally {
    // What no client that is known began is in the log alone: strangers could fill the journal with it.
    if (entry.client !== undefined) services.journal({ ...entry, ms: Date.now() - entry.at });
  }
}

async function ask({ request, oauth, config }: Login, entry: JournalEntry): Promise<Response> {
  const authRequest = await oauth.parseAuthRequest(request);
  entry.client = authRequest.clientId;
  // The library leaves it to clients that have a secret; OAuth 2.1 and MCP ask it of everybody.
  if (authRequest.codeChallenge === undefined) {
    entry.outcome = "invalid_request";
    return redirect(authorizationErrorRedirect(authRequest, "invalid_request", "PKCE is required"), new Headers());
  }
  const familiar = await familiarOf(request, config);
  if (familiar && !wantsPage(request)) {
    const remember = { secret: await rememberSecret(config), subject: familiar.subject };
    if (await oauth.isConsentRemembered(request, authRequest, remember)) {
      // What was revoked since has to be asked for again, however well the browser remembers.
      const grant = await liveGrant(oauth, familiar.person, authRequest);
      if (grant) {
        const approved = { ...authRequest, scope: grant.scope };
        const kept = { subject: familiar.subject, expected: familiar.person, remembered: true, keep: true };
        return await toIssuer(oauth, config, approved, kept, new Headers());
      }
    }
  }
  return await showPage(oauth, authRequest);
}

/** `prompt=consent` is how a client says that its person wants to choose anew. */
function wantsPage(request: Request): boolean {
  const prompt = new URL(request.url).searchParams.get("prompt") ?? "";
  return prompt.split(" ").includes("consent");
}

async function showPage(oauth: OAuthHelpers, authRequest: AuthRequest, more?: Headers): Promise<Response> {
  const details = await oauth.describeConsent(authRequest);
  const { handle, headers } = await oauth.beginConsent(authRequest);
  for (const line of more?.getSetCookie() ?? []) headers.append("set-cookie", line);
  return consentPage(details, handle, headers);
}

async function decide({ request, oauth, config }: Login, entry: JournalEntry): Promise<Response> {
  entry.action = "consent";
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== new URL(config.publicUrl).origin) {
    throw new Failure("forbidden", "This form was sent from another site.", {
      hint: "Start again from your MCP client.",
    });
  }
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
    entry.client = denied.request.clientId;
    entry.outcome = "denied";
    return redirect(denied.redirectTo, denied.headers);
  }
  const ticked = new Set(form.getAll("scope"));
  const scope = SCOPE_NAMES.filter((name) => ticked.has(name));
  if (scope.length === 0) {
    throw new Failure("invalid_input", "No permission is ticked.", {
      hint: "Go back and tick what the app may do, or deny it.",
    });
  }
  const keep = form.get("remember") === "on";
  const familiar = await familiarOf(request, config);
  const subject = familiar?.subject ?? newSubject();
  const approved = await oauth.approveConsent(request, handle, {
    scope,
    ...(keep ? { remember: { secret: await rememberSecret(config), subject, maxAgeSeconds: REMEMBERED_SECONDS } } : {}),
  });
  entry.client = approved.request.clientId;
  entry.detail = { scope: scope.join(" ") };
  const kept = { subject, remembered: false, keep, ...(familiar ? { expected: familiar.person } : {}) };
  return await toIssuer(oauth, config, approved.request, kept, approved.headers);
}

async function toIssuer(
  oauth: OAuthHelpers,
  config: Config,
  approved: AuthRequest,
  kept: Pick<Pending, "subject" | "expected" | "remembered" | "keep">,
  headers: Headers,
): Promise<Response> {
  const { pending, url } = await loginUrl(config.login, redirectUri(config));
  const upstream = await oauth.beginUpstream(approved, { data: { ...pending, ...kept } satisfies Pending, headers });
  return redirect(url(upstream.state), upstream.headers);
}

async function callback({ request, oauth, config, services }: Login, entry: JournalEntry): Promise<Response> {
  entry.action = "sign_in";
  const { request: authRequest, data, headers } = await oauth.finishUpstream(request);
  entry.client = authRequest.clientId;
  const answer = new URL(request.url).searchParams;
  const iss = answer.get("iss");
  const code = answer.get("code");
  if (code === null || (iss !== null && iss !== config.login.issuer)) {
    entry.outcome = "denied";
    return redirect(authorizationErrorRedirect(authRequest, "access_denied"), headers);
  }
  const pending = pendingSchema.parse(data);
  const { principal, session } = await finishLogin(config.login, redirectUri(config), code, pending);
  entry.principal = principal.id;

  const stranger = pending.expected !== undefined && pending.expected !== principal.id;
  if (stranger) {
    // Another person than the browser knew: what the former one agreed to does not count, and is forgotten.
    for (const line of forgetCookies()) headers.append("set-cookie", line);
    if (pending.remembered) {
      entry.outcome = "asked_again";
      return await showPage(oauth, authRequest, headers);
    }
  }
  const familiar = { person: principal.id, subject: stranger ? newSubject() : pending.subject };
  headers.append("set-cookie", await familiarCookie(familiar, config, Date.now()));
  await linkAddress(services.store, principal.email, principal.id);
  const { clientName } = await oauth.describeConsent(authRequest);
  const { redirectTo } = await oauth.completeAuthorization({
    request: authRequest,
    userId: principal.id,
    // Readable in storage, so that a grant can be told from others when its client is long gone.
    metadata: { client: clientName.slice(0, 200), remembered: pending.keep } satisfies GrantMetadata,
    scope: authRequest.scope,
    props: { ...principal, session },
    // When the client takes the new one: see revokeFormer.
    revokeExistingGrants: false,
  });
  entry.detail = { scope: authRequest.scope.join(" ") };
  return redirect(redirectTo, headers);
}

function redirectUri(config: Config): string {
  return `${config.publicUrl}${CALLBACK_PATH}`;
}

function redirect(to: string, headers: Headers): Response {
  headers.set("location", to);
  headers.set("cache-control", "no-store");
  return new Response(null, { status: 302, headers });
}
