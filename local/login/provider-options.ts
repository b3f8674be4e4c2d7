import { randomBytes } from "node:crypto";
import { type Context, interactionPolicy, type Provider } from "oidc-provider";
// Not the package's default adapter, though it is the same one: the default warns at every start.
import { createMemoryAdapter } from "oidc-provider/lib/adapters/memory_adapter.js";
import { stoppedPage } from "./page.ts";

export interface ProviderOptions {
  clientId: string;
  clientSecret: string;
  redirectUris: string[];
  account: { subject: string; email: string; name: string };
  jwks: { keys: Record<string, unknown>[] };
  /** Where the sign-in page of an interaction is. */
  interactionPath(uid: string): string;
}

/** Seconds. Sign-ins, codes and tokens are used within moments; what lasts are the Worker's own grants. */
const TTL = { AuthorizationCode: 60, AccessToken: 300, IdToken: 300, Interaction: 900, Session: 900, Grant: 900 };

/** The configuration of oidc-provider: one client, one account, authorization code with PKCE, claims as Access gives them. */
export function providerOptions(options: ProviderOptions): Record<string, unknown> {
  const { account } = options;
  return {
    adapter: createMemoryAdapter(),
    clients: [
      {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        redirect_uris: options.redirectUris,
        response_types: ["code"],
        grant_types: ["authorization_code"],
        token_endpoint_auth_method: "client_secret_basic",
        id_token_signed_response_alg: "RS256",
      },
    ],
    jwks: options.jwks,
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    scopes: ["openid", "email", "profile"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    // Access puts the claims into the identity token; the OpenID default leaves them to userinfo.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    responseTypes: ["code"],
    ttl: TTL,
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    interactions: {
      policy: alwaysAsk(),
      url: (_context: Context, { uid }: { uid: string }) => options.interactionPath(uid),
    },
    findAccount: (_context: Context, id: string) => {
      if (id !== account.subject) return undefined;
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

/** No consent step here: the one client is the Worker, which has a consent page of its own. */
async function grantAsked({ oidc }: Context & { oidc: { provider: Provider } }) {
  const accountId = oidc.session?.accountId;
  const clientId = oidc.client?.clientId;
  if (accountId === undefined || clientId === undefined) return undefined;
  const grant = new oidc.provider.Grant({ accountId, clientId });
  grant.addOIDCScope("openid email profile");
  await grant.save();
  return grant;
}
