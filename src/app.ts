import { getOAuthApi, OAuthProvider, type OAuthProviderOptions } from "@cloudflare/workers-oauth-provider";
import { ADMIN_PATH, handleAdmin } from "./admin/routes.ts";
import { admitVisitor } from "./auth/access.ts";
import { grantsOf } from "./auth/grants.ts";
import { AUTHORIZE_PATH, CALLBACK_PATH, handleLogin } from "./auth/login.ts";
import { grantOf, isAllowed } from "./auth/principal.ts";
import { oauthOptions, outsider, resourceMetadataUrl } from "./auth/provider.ts";
import { purge } from "./auth/purge.ts";
import { BRIDGE_PATH } from "./bridge/paths.ts";
import { handleBridge } from "./bridge/routes.ts";
import { CATALOG } from "./mcp/catalog.ts";
import { handleMcp } from "./mcp/handler.ts";
import { handleIcon, ICONS_PATH } from "./mcp/icons.ts";
import type { Config } from "./config/config.ts";
import { journalObject, loginServicesOf, servicesOf } from "./services.ts";

export interface App {
  fetch(request: Request, env: Cloudflare.Env, ctx: ExecutionContext): Promise<Response>;
  /** What the schedule asks for. */
  scheduled(env: Cloudflare.Env): Promise<void>;
}

/** The route table: path → guard → handler. `/mcp` is behind the OAuth provider; each other path names its own guard. */
export function app(config: Config): App {
  const handlers: Parameters<typeof oauthOptions>[1] = {
    mcp: {
      fetch(request, env, ctx) {
        const caller = grantOf(ctx);
        // A token lives on for an hour; whoever is taken off the list is out at once.
        if (!isAllowed(caller.principal.email, config.login)) return outsider(config);
        const { tools: services, journal, signingKey } = servicesOf(env, config);
        const waitUntil = (work: Promise<void>) => ctx.waitUntil(work);
        const { publicUrl } = config;
        const context = { catalog: CATALOG, publicUrl, services, caller, journal, signingKey, waitUntil };
        return handleMcp(request, { context, metadataUrl: resourceMetadataUrl(config) });
      },
    },
    others: {
      async fetch(request, env) {
        const { pathname } = new URL(request.url);
        // Guard: the handle and state that the consent helpers bind to the browser.
        if (pathname === AUTHORIZE_PATH || pathname === CALLBACK_PATH) {
          return await handleLogin({
            request,
            oauth: getOAuthApi(options, env),
            config,
            services: loginServicesOf(env),
          });
        }
        // Guard: Access.
        if (pathname.startsWith(ADMIN_PATH)) {
          return await handleAdmin(request, {
            admit: (asking) => admitVisitor(asking, config),
            publicUrl: config.publicUrl,
            grants: grantsOf(getOAuthApi(options, env), loginServicesOf(env).store),
            journal: journalObject(env),
            generations: servicesOf(env, config).generations,
          });
        }
        // Guard: the token of the container's present start.
        if (pathname.startsWith(BRIDGE_PATH)) return await handleBridge(request, servicesOf(env, config).bridge);
        // Guard: none. The icons are the same for everybody and tell nothing.
        if (pathname.startsWith(ICONS_PATH)) return handleIcon(pathname);
        if (pathname === "/") return new Response(`This is a Moltbot. Its MCP endpoint is ${config.mcpUrl}\n`);
        return new Response("There is nothing here. The MCP endpoint is /mcp.\n", { status: 404 });
      },
    },
  };
  const options: OAuthProviderOptions = oauthOptions(config, handlers, loginServicesOf);
  const provider = new OAuthProvider(options);
  return {
    fetch: (request, env, ctx) => provider.fetch(request, env, ctx),
    scheduled: (env) => purge(getOAuthApi(options, env), loginServicesOf(env).store),
  };
}
