import { randomBytes } from "node:crypto";
import { type Context, interactionPolicy, type Provider } from "oidc-provider";
import { keptAdapter } from "./kept-adapter.ts";
import { stoppedPage } from "./page.ts";
import type { Person } from "./people.ts";

export interface OidcClient {
  id: string;
  secret: string;
  redirectUris: string[];
}

export interface ProviderOptions {
  /** The Worker, which signs people in for MCP clients, and Access in front of its pages. */
  clients: { worker: OidcClient; access: OidcClient };
  people: readonly Person[];
  jwks: { keys: Record<string, unknown>[] };
  /** Where refresh tokens are kept over a restart. */
  sessionsFile: string;
  /** Where the sign-in page of an interaction is. */
  interactionPath(uid: string): string;
}

const DAY = 24 * 3600;

/** Seconds. Sign-ins, codes and tokens are used within moments; what lasts is what a client of the Worker is rechecked by. */
const TTL = {
  AuthorizationCode: 60,
  AccessToken: 300,
  Interaction: 900,
  Session: 900,
  Grant: 31 * DAY,
  RefreshToken: 30 * DAY,
};

/** What Access gives a browser is good for a day; what the Worker is told about a person, for the moment. */
const idTokenSeconds =
  (access: string) =>
  (_context: Context, _token: unknown, { clientId }: { clientId: string }) =>
    clientId === access ? DAY : 300;

function client({ id, secret, redirectUris }: OidcClient, grants: string[]) {
  return {
    client_id: id,
    client_secret: secret,
    redirect_uris: redirectUris,
    response_types: ["code"],
    grant_types: ["authorization_code", ...grants],
    token_endpoint_auth_method: "client_secret_basic",
    id_token_signed_response_alg: "RS256",
  };
}

/** The configuration of oidc-provider: two clients, authorization code with PKCE, claims as Access gives them. */
export function providerOptions(options: ProviderOptions): Record<string, unknown> {
  const { worker, access } = options.clients;
  return {
    adapter: keptAdapter(options.sessionsFile),
    clients: [client(worker, ["refresh_token"]), client(access, [])],
    jwks: options.jwks,
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    scopes: ["openid", "email", "profile"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    // Access puts the claims into the identity token; the OpenID default leaves them to userinfo.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    responseTypes: ["code"],
    ttl: { ...TTL, IdToken: idTokenSeconds(access.id) },
    // As Access with refresh tokens switched on. Not rotated: two windows of one client may ask at the same moment.
    issueRefreshToken: (_context: Context, { clientId }: { clientId: string }) => clientId === worker.id,
    rotateRefreshToken: false,
    // A session here ends with the sign-in that made it.
    expiresWithSession: () => false,
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    interactions: {
      policy: alwaysAsk(),
      url: (_context: Context, { uid }: { uid: string }) => options.interactionPath(uid),
    },
    findAccount: (_context: Context, id: string) => {
      const account = options.people.find(({ subject }) => subject === id);
      if (!account) return undefined;
      const claims = { sub: id, email: account.email, email_verified: true, name: account.name };
      return { accountId: id, claims: () => claims };
    },
    loadExistingGrant: grantAsked,
    renderError: (context: Context) => {
      const { html, headers } = stoppedPage("This sign-in cannot go on.");
      context.set(headers);
      context.body = html;
    },
  };
}

/**
 * Every sign-in asks for the password. Cookies of a host are sent to all its ports, so whoever else
 * listens on this machine can collect a session's cookie: a session alone must be worth nothing.
 */
function alwaysAsk() {
  const policy = interactionPolicy.base();
  const { Check } = interactionPolicy;
  policy
    .get("login")
    .checks.add(
      new Check(
        "password",
        "Every sign-in asks for the password",
        "login_required",
        ({ oidc }) => oidc.result?.login === undefined,
      ),
    );
  policy.remove("consent");
  return policy;
}

/** No consent step here: both clients are this machine's own, and the Worker has a consent page. */
async function grantAsked({ oidc }: Context & { oidc: { provider: Provider } }) {
  const accountId = oidc.session?.accountId;
  const clientId = oidc.client?.clientId;
  if (accountId === undefined || clientId === undefined) return undefined;
  const grant = new oidc.provider.Grant({ accountId, clientId });
  grant.addOIDCScope("openid email profile");
  await grant.save();
  return grant;
}
