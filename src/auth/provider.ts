import {
  getOAuthApi,
  GrantType,
  OAuthError,
  type OAuthHelpers,
  type OAuthProviderOptions,
  type TokenExchangeCallbackOptions,
  type TokenExchangeCallbackResult,
} from "@cloudflare/workers-oauth-provider";
import type { Config } from "../config/config.ts";
import { Failure, toFailure } from "../core/failure.ts";
import type { Journal } from "../core/journal.ts";
import { log } from "../core/log.ts";
import { SCOPE_NAMES } from "../core/scope.ts";
import { COOKIE_PREFIX } from "./familiar.ts";
import { revokeFormer } from "./grants.ts";
import { AUTHORIZE_PATH } from "./login.ts";
import { grantPropsSchema, principalSchema } from "./principal.ts";
import { type LoginStore, noteUse } from "./store.ts";
import { recheck } from "./upstream.ts";

/** A removed person loses access within this many seconds: the issuer and the allow-list are asked at each refresh. */
const ACCESS_TOKEN_SECONDS = 3600;

type Options = OAuthProviderOptions;
export type Handler = Extract<NonNullable<Options["apiHandler"]>, { fetch: unknown }>;

/** What the authorization server uses beside its own namespace; from bindings, so for one request. */
export interface LoginServices {
  store: LoginStore;
  journal: Journal;
}

/** The OAuth 2.1 authorization server and resource server in front of the MCP endpoint. */
export function oauthOptions(
  config: Config,
  handlers: { mcp: Handler; others: Handler },
  servicesOf: (env: Cloudflare.Env) => LoginServices,
): Options {
  const options: Options = {
    apiRoute: "/mcp",
    apiHandler: handlers.mcp,
    defaultHandler: handlers.others,
    authorizeEndpoint: AUTHORIZE_PATH,
    tokenEndpoint: "/oauth/token",
    clientRegistrationEndpoint: "/oauth/register",
    clientIdMetadataDocumentEnabled: true,
    scopesSupported: [...SCOPE_NAMES, "offline_access"],
    requiredScopes: [...SCOPE_NAMES],
    cookiePrefix: COOKIE_PREFIX,
    resourceMetadata: {
      resource: config.mcpUrl,
      authorization_servers: [config.publicUrl],
      resource_name: "Moltbot",
    },
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    tokenExchangeCallback: (exchange) =>
      exchanged(exchange, config, servicesOf(exchange.env), getOAuthApi(options, exchange.env)),
    onError({ code, status, internal }) {
      log("warn", "oauth", { outcome: code, status, check: internal.category, reason: internal.reason });
    },
  };
  return options;
}

/**
 * Each time a token is about to be issued. The issuer's tokens stay with the grant: what goes along with an access
 * token is the person alone.
 */
async function exchanged(
  exchange: TokenExchangeCallbackOptions,
  config: Config,
  { store, journal }: LoginServices,
  oauth: OAuthHelpers,
): Promise<TokenExchangeCallbackResult> {
  const at = Date.now();
  const refreshing = exchange.grantType === GrantType.REFRESH_TOKEN;
  const note = (outcome: string) =>
    journal({
      kind: "login",
      at,
      principal: exchange.userId,
      client: exchange.clientId,
      action: refreshing ? "refresh" : "token",
      outcome,
      ms: Date.now() - at,
    });
  try {
    const { session, ...principal } = grantPropsSchema.parse(exchange.props);
    const accessTokenProps = principalSchema.parse(principal);
    const renewed = refreshing ? await recheck(config.login, accessTokenProps, session) : session;
    if (!renewed) throw new Failure("forbidden", "This account may no longer use this Moltbot.");
    await noteUse(store, exchange.grantId, at);
    if (!refreshing) await revokeFormer(oauth, exchange.userId, exchange.grantId);
    note("ok");
    return { accessTokenProps, newProps: { ...accessTokenProps, session: renewed } };
  } catch (error) {
    const failure = toFailure(error);
    note(failure.code);
    throw oauthError(failure);
  }
}

/** `invalid_grant` makes the library revoke the grant, so only a person who is out is answered with it. */
function oauthError(failure: Failure): Error {
  if (failure.code === "forbidden") return new OAuthError("invalid_grant", { description: failure.message });
  // Every other failure is a fault of ours and goes to the outermost handler.
  if (failure.code !== "upstream") return failure;
  log("error", "oauth", { outcome: failure.code, cause: failure.cause });
  return new OAuthError("temporarily_unavailable", {
    description: failure.message,
    statusCode: 503,
    headers: { "Retry-After": "60" },
  });
}

/** Where the resource's metadata is (RFC 9728): its path goes behind the well-known one. */
export function resourceMetadataUrl({ mcpUrl }: Config): string {
  const { origin, pathname } = new URL(mcpUrl);
  return `${origin}/.well-known/oauth-protected-resource${pathname}`;
}

/** For a person who has been taken off the allow-list: the token is good for nothing any more. */
export function outsider(config: Config): Response {
  return Response.json(
    { error: "invalid_token", error_description: "This account may no longer use this Moltbot." },
    {
      status: 401,
      headers: {
        "cache-control": "no-store",
        "www-authenticate": `Bearer realm="OAuth", error="invalid_token", resource_metadata="${resourceMetadataUrl(config)}"`,
      },
    },
  );
}
