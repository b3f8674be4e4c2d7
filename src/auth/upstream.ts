import type { Config } from "../config/config.ts";
import { base64url, randomBytes } from "../core/encoding.ts";
import { Failure } from "../core/failure.ts";
import { type Claims, issuerOf, requestTokens, userInfo, verifyIdentity } from "./issuer.ts";
import { isAllowed, type Principal, principalId, sessionSchema, type UpstreamSession } from "./principal.ts";

/** What must come back unchanged from the issuer's redirect; kept on the server, bound to the browser. */
export interface PendingLogin {
  verifier: string;
  nonce: string;
}

/** The issuer's sign-in page for this attempt, and what to keep until the person is back. */
export async function loginUrl(
  login: Config["login"],
  redirectUri: string,
): Promise<{ pending: PendingLogin; url: (state: string) => string }> {
  const { metadata } = await issuerOf(login);
  const pending = { verifier: randomToken(), nonce: randomToken() };
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier));
  // With it Access gives a refresh token, by which its policy is asked again for as long as a client stays connected.
  const offline = metadata.scopes_supported.includes("offline_access") ? " offline_access" : "";
  return {
    pending,
    url(state) {
      const url = new URL(metadata.authorization_endpoint);
      url.search = new URLSearchParams({
        response_type: "code",
        client_id: login.clientId,
        redirect_uri: redirectUri,
        scope: `openid email profile${offline}`,
        state,
        nonce: pending.nonce,
        code_challenge: base64url(new Uint8Array(challenge)),
        code_challenge_method: "S256",
      }).toString();
      return url.toString();
    },
  };
}

/**
 * Exchanges the issuer's code and verifies the identity token: signature, issuer, audience, expiry, nonce,
 * and that the address is on the allow-list and not marked as unverified. Access marks none, for it verifies them all.
 */
export async function finishLogin(
  login: Config["login"],
  redirectUri: string,
  code: string,
  pending: PendingLogin,
): Promise<{ principal: Principal; session: UpstreamSession }> {
  const issuer = await issuerOf(login);
  const tokens = await requestTokens(issuer, login, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: pending.verifier,
  });
  if (!tokens) throw refused("The identity provider did not take the code");
  if (tokens.id_token === undefined) throw refused("The identity provider sent no identity token");

  const verified = await verifyIdentity(issuer, tokens.id_token, login.clientId);
  if ("invalid" in verified) throw refused(verified.invalid);
  const { claims } = verified;
  if (claims.nonce !== pending.nonce) throw refused("The identity token belongs to another sign-in");
  if (claims.email === undefined) throw refused("The identity token names no e-mail address");
  if (!mayEnter(claims, login)) {
    throw new Failure("forbidden", "This account may not use this Moltbot.", {
      hint: "Ask its owner to put your e-mail address on the list.",
    });
  }
  return {
    principal: {
      id: await principalId(issuer.metadata.issuer, claims.sub),
      email: claims.email,
      ...(claims.name ? { name: claims.name } : {}),
    },
    session: sessionSchema.parse({ refreshToken: tokens.refresh_token, accessToken: tokens.access_token }),
  };
}

/**
 * Asks the issuer whether the person's session there goes on: by the refresh token, or, when there is none, by what
 * the access token still opens. Access evaluates its policy anew for it. `undefined` when the person is out: the
 * session has ended, it is somebody else's now, or the address is no longer on the allow-list.
 */
export async function recheck(
  login: Config["login"],
  principal: Principal,
  session: UpstreamSession,
): Promise<UpstreamSession | undefined> {
  if (!isAllowed(principal.email, login)) return undefined;
  const issuer = await issuerOf(login);
  const still = async (claims: Claims | undefined) =>
    claims !== undefined &&
    mayEnter(claims, login) &&
    (await principalId(issuer.metadata.issuer, claims.sub)) === principal.id;

  if (session.refreshToken === undefined) {
    const { userinfo_endpoint } = issuer.metadata;
    if (session.accessToken === undefined || userinfo_endpoint === undefined) return undefined;
    return (await still(await userInfo(userinfo_endpoint, session.accessToken))) ? session : undefined;
  }
  const tokens = await requestTokens(issuer, login, {
    grant_type: "refresh_token",
    refresh_token: session.refreshToken,
  });
  if (!tokens) return undefined;
  if (tokens.id_token !== undefined) {
    const verified = await verifyIdentity(issuer, tokens.id_token, login.clientId);
    if ("invalid" in verified || !(await still(verified.claims))) return undefined;
  }
  return sessionSchema.parse({
    refreshToken: tokens.refresh_token ?? session.refreshToken,
    accessToken: tokens.access_token ?? session.accessToken,
  });
}

function mayEnter(claims: Claims, login: Config["login"]): boolean {
  return claims.email_verified !== false && (claims.email === undefined || isAllowed(claims.email, login));
}

function refused(cause: unknown): Failure {
  return new Failure("unauthorized", "The sign-in could not be completed.", {
    hint: "Start again from your MCP client.",
    cause,
  });
}

function randomToken(): string {
  return base64url(randomBytes(32));
}
