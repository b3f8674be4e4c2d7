import { getOAuthApi, OAuthProvider, type OAuthProviderOptions } from "@cloudflare/workers-oauth-provider";
import { AUTHORIZE_PATH, CALLBACK_PATH, handleLogin } from "./auth/login.ts";
import { grantOf } from "./auth/principal.ts";
import { oauthOptions } from "./auth/provider.ts";
import { BRIDGE_PATH, handleBridge } from "./bridge/routes.ts";
import { handleMcp } from "./mcp/handler.ts";
import type { Config } from "./config/config.ts";
import { servicesOf } from "./services.ts";

/** The route table: path → guard → handler. `/mcp` is behind the OAuth provider; each other path names its own guard. */
export function app(config: Config): OAuthProvider {
  const hostname = new URL(config.publicUrl).hostname;
  const options: OAuthProviderOptions = oauthOptions(config, {
    mcp: {
      fetch(request, env, ctx) {
        const { tools, journal } = servicesOf(env, config);
        return handleMcp(request, ctx, { hostname, services: tools, caller: grantOf(ctx), journal });
      },
    },
    others: {
      async fetch(request, env) {
        const { pathname } = new URL(request.url);
        // Guard: the handle and state that the consent helpers bind to the browser.
        if (pathname === AUTHORIZE_PATH || pathname === CALLBACK_PATH) {
          return await handleLogin(request, getOAuthApi(options, env), config);
        }
        // Guard: the token of the container's present start.
        if (pathname.startsWith(BRIDGE_PATH)) return await handleBridge(request, servicesOf(env, config).bridge);
        if (pathname === "/") return new Response(`This is a Moltbot. Its MCP endpoint is ${config.mcpUrl}\n`);
        return new Response("There is nothing here. The MCP endpoint is /mcp.\n", { status: 404 });
      },
    },
  });
  return new OAuthProvider(options);
}
