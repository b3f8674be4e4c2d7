import { GrantType, OAuthError, type OAuthProviderOptions } from "@cloudflare/workers-oauth-provider";
import type { Config } from "../config/config.ts";
import { log } from "../core/log.ts";
import { SCOPE_NAMES } from "../core/scope.ts";
import { AUTHORIZE_PATH } from "./login.ts";
import { isAllowed, principalSchema } from "./principal.ts";

/** A removed person loses access within this many seconds: the allow-list is checked again at each refresh. */
const ACCESS_TOKEN_SECONDS = 3600;

type Options = OAuthProviderOptions;
export type Handler = Extract<NonNullable<Options["apiHandler"]>, { fetch: unknown }>;

/** The OAuth 2.1 authorization server and resource server in front of the MCP endpoint. */
export function oauthOptions(config: Config, handlers: { mcp: Handler; others: Handler }): Options {
  return {
    apiRoute: "/mcp",
    apiHandler: handlers.mcp,
    defaultHandler: handlers.others,
    authorizeEndpoint: AUTHORIZE_PATH,
    tokenEndpoint: "/oauth/token",
    clientRegistrationEndpoint: "/oauth/register",
    clientIdMetadataDocumentEnabled: true,
    scopesSupported: [...SCOPE_NAMES, "offline_access"],
    requiredScopes: [...SCOPE_NAMES],
    resourceMetadata: {
      resource: config.mcpUrl,
      authorization_servers: [config.publicUrl],
      resource_name: "Moltbot",
    },
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    tokenExchangeCallback({ grantType, props }) {
      if (grantType !== GrantType.REFRESH_TOKEN) return;
      const principal = principalSchema.safeParse(props);
      if (principal.success && isAllowed(principal.data.email, config.login)) return;
      throw new OAuthError("invalid_grant", { description: "This account may no longer use this Moltbot." });
    },
    onError({ code, status }) {
      log("warn", "oauth", { outcome: code, status });
    },
  };
}
