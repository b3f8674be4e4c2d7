import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import { Failure } from "../core/failure.ts";
import { isAllowed, type Principal, principalId } from "./principal.ts";

/** What must come back unchanged from the issuer's redirect; kept on the server, bound to the browser. */
export interface PendingLogin {
  verifier: string;
  nonce: string;
}

const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
});
type Metadata = z.output<typeof metadataSchema>;

const tokenSchema = z.object({ id_token: z.string() });

const claimsSchema = z.object({
  sub: z.string().min(1),
  nonce: z.string(),
  email: z.email(),
  email_verified: z.boolean().optional(),
  name: z.string().optional(),
});

/** Symmetric algorithms and `none` stay out: the key would be the client secret, or nothing. */
const ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"];

const UPSTREAM_DEADLINE_MS = 10_000;

/** Per isolate: the issuer's documents change rarely, and jose refetches the keys when an unknown one appears. */
const issuers = new Map<string, { metadata: Metadata; keys: JWTVerifyGetKey }>();

/** The issuer's sign-in page for this attempt, and what to keep until the person is back. */
export async function loginUrl(
  login: Config["login"],
  redirectUri: string,
): Promise<{ pending: PendingLogin; url: (state: string) => string }> {
  const { metadata } = await issuerOf(login);
  const pending = { verifier: randomToken(), nonce: randomToken() };
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier));
  return {
    pending,
    url(state) {
      const url = new URL(metadata.authorization_endpoint);
      url.search = new URLSearchParams({
        response_type: "code",
        client_id: login.clientId,
        redirect_uri: redirectUri,
        scope: "openid email profile",
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
): Promise<Principal> {
  const { metadata, keys } = await issuerOf(login);
  const response = await fetch(metadata.token_endpoint, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${encodeURIComponent(login.clientId)}:${encodeURIComponent(login.clientSecret)}`)}`,
      accept: "application/json",
    },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      code_verifier: pending.verifier,
    }),
    signal: AbortSignal.timeout(UPSTREAM_DEADLINE_MS),
  });
  if (!response.ok) throw refused(`The identity provider answered the code exchange with ${response.status}`);
  const token = tokenSchema.safeParse(await response.json());
  if (!token.success) throw refused("The identity provider sent no identity token");

  const claims = await verify(token.data.id_token, keys, metadata.issuer, login.clientId);
  if (claims.nonce !== pending.nonce) throw refused("The identity token belongs to another sign-in");
  if (claims.email_verified === false || !isAllowed(claims.email, login)) {
    throw new Failure("forbidden", "This account may not use this Moltbot.", {
      hint: "Its owner can add the e-mail address to ALLOWED_EMAILS.",
    });
  }
  return {
    id: await principalId(metadata.issuer, claims.sub),
    email: claims.email,
    ...(claims.name ? { name: claims.name } : {}),
  };
}

async function verify(token: string, keys: JWTVerifyGetKey, issuer: string, audience: string) {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp", "iat", "sub", "nonce"],
      clockTolerance: 30,
    });
    return claimsSchema.parse(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof z.ZodError)
      throw refused("The identity token is not valid", error);
    throw error;
  }
}

async function issuerOf(login: Config["login"]) {
  const known = issuers.get(login.issuer);
  if (known) return known;
  const response = await fetch(`${login.issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`, {
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(UPSTREAM_DEADLINE_MS),
  }).catch((cause: unknown) => {
    throw unreachable(cause);
  });
  if (!response.ok) throw unreachable(`status ${response.status}`);
  const metadata = metadataSchema.safeParse(await response.json());
  if (!metadata.success) throw unreachable(metadata.error);
  if (metadata.data.issuer !== login.issuer) throw unreachable("the document names another issuer");
  const found = { metadata: metadata.data, keys: createRemoteJWKSet(new URL(metadata.data.jwks_uri)) };
  issuers.set(login.issuer, found);
  return found;
}

function unreachable(cause: unknown): Failure {
  return new Failure("upstream", "The identity provider cannot be reached.", {
    hint: "Try again in a minute; if it goes on, check OIDC_ISSUER.",
    cause,
  });
}

function refused(what: string, cause?: unknown): Failure {
  return new Failure("unauthorized", "The sign-in could not be completed.", {
    hint: "Start again from your MCP client.",
    cause: cause ?? what,
  });
}

function randomToken(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
