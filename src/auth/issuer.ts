import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import { Failure } from "../core/failure.ts";
import { CLOCK_TOLERANCE_S, isTokenFault } from "./jwt.ts";

/** The OpenID issuer that signs people in: its documents, its token endpoint, and the check of what it signed. */
export interface Issuer {
  metadata: Metadata;
  keys: JWTVerifyGetKey;
}

const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  userinfo_endpoint: z.url().optional(),
  scopes_supported: z.array(z.string()).default([]),
});
type Metadata = z.output<typeof metadataSchema>;

const tokensSchema = z.object({
  id_token: z.string().optional(),
  access_token: z.string().optional(),
  refresh_token: z.string().optional(),
});
export type IssuerTokens = z.output<typeof tokensSchema>;

const claimsSchema = z.object({
  sub: z.string().min(1),
  nonce: z.string().optional(),
  /** Always there when a person signs in; a refreshed token may leave it out. */
  email: z.email().optional(),
  email_verified: z.boolean().optional(),
  name: z.string().optional(),
});
export type Claims = z.output<typeof claimsSchema>;

const refusalSchema = z.object({ error: z.string() });

/** Symmetric algorithms and `none` stay out: the key would be the client secret, or nothing. */
const ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"];

const DEADLINE_MS = 10_000;

/** Per isolate: the issuer's documents change rarely, and jose refetches the keys when an unknown one appears. */
const issuers = new Map<string, Issuer>();

export async function issuerOf(login: Config["login"]): Promise<Issuer> {
  const known = issuers.get(login.issuer);
  if (known) return known;
  const response = await reach(`${login.issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`, {});
  if (!response.ok) throw unreachable(`status ${response.status}`);
  const metadata = metadataSchema.safeParse(await jsonOf(response));
  if (!metadata.success) throw unreachable(metadata.error);
  if (metadata.data.issuer !== login.issuer) throw unreachable("the document names another issuer");
  const found = { metadata: metadata.data, keys: createRemoteJWKSet(new URL(metadata.data.jwks_uri)) };
  issuers.set(login.issuer, found);
  return found;
}

/**
 * One request to the issuer's token endpoint. `undefined` when the issuer says that this code or refresh token is no
 * longer good; every other refusal is a fault of the set-up or of the moment, and throws.
 */
export async function requestTokens(
  issuer: Issuer,
  login: Config["login"],
  grant: Record<string, string>,
): Promise<IssuerTokens | undefined> {
  const response = await reach(issuer.metadata.token_endpoint, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${encodeURIComponent(login.clientId)}:${encodeURIComponent(login.clientSecret)}`)}`,
    },
    body: new URLSearchParams(grant),
  });
  const body = await jsonOf(response);
  if (response.ok) {
    const tokens = tokensSchema.safeParse(body);
    if (tokens.success) return tokens.data;
    throw unreachable(tokens.error);
  }
  const refusal = refusalSchema.safeParse(body);
  if (refusal.success && refusal.data.error === "invalid_grant") return undefined;
  throw unreachable(`the token endpoint answered with ${response.status} ${refusal.success ? refusal.data.error : ""}`);
}

/** Who an access token of the issuer is for; `undefined` when it is no longer good. */
export async function userInfo(url: string, accessToken: string): Promise<Claims | undefined> {
  const response = await reach(url, { headers: { authorization: `Bearer ${accessToken}` } });
  if (response.status === 401 || response.status === 403) return undefined;
  if (!response.ok) throw unreachable(`the userinfo endpoint answered with ${response.status}`);
  const claims = claimsSchema.safeParse(await jsonOf(response));
  if (claims.success) return claims.data;
  throw unreachable(claims.error);
}

/** Signature, algorithm, issuer, audience and times of an identity token. */
export async function verifyIdentity(
  issuer: Issuer,
  token: string,
  audience: string,
): Promise<{ claims: Claims } | { invalid: unknown }> {
  try {
    const { payload } = await jwtVerify(token, issuer.keys, {
      issuer: issuer.metadata.issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp", "iat", "sub"],
      clockTolerance: CLOCK_TOLERANCE_S,
    });
    return { claims: claimsSchema.parse(payload) };
  } catch (error) {
    if (isTokenFault(error)) return { invalid: error };
    throw unreachable(error);
  }
}

async function reach(
  url: string,
  init: { method?: "POST"; headers?: Record<string, string>; body?: URLSearchParams },
): Promise<Response> {
  try {
    return await fetch(url, {
      ...init,
      headers: { accept: "application/json", ...init.headers },
      // A redirect would carry the client's secret or a person's token to wherever it points.
      redirect: "manual",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch (cause) {
    throw unreachable(cause);
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  return await response.json().catch(() => undefined);
}

function unreachable(cause: unknown): Failure {
  return new Failure("upstream", "The identity provider cannot be reached.", {
    hint: "Try again in a minute; if it goes on, tell its owner.",
    cause,
  });
}
