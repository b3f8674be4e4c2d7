import { getOAuthApi, OAuthProvider, type OAuthProviderOptions } from "@cloudflare/workers-oauth-provider";
import { handleAdmin } from "./admin/handler.ts";
import { handlePage } from "./admin/page.ts";
import { ADMIN_PATH, API_PATH, TERMINAL_PATH } from "./admin/routes.ts";
import { handleTerminal } from "./admin/terminal.ts";
import { admitVisitor } from "./auth/access.ts";
import { grantsOf } from "./auth/grants.ts";
import { AUTHORIZE_PATH, CALLBACK_PATH, handleLogin } from "./auth/login.ts";
import { grantOf, isAllowed } from "./auth/principal.ts";
import { oauthOptions, outsider, resourceMetadataUrl } from "./auth/provider.ts";
import { purge } from "./auth/purge.ts";
import { visitorId } from "./auth/visitor.ts";
import { BRIDGE_PATH } from "./bridge/paths.ts";
import { handleBridge } from "./bridge/routes.ts";
import { handleControlUi } from "./control/handler.ts";
import { CATALOG } from "./mcp/catalog.ts";
import { handleMcp } from "./mcp/handler.ts";
import { handleIcon, ICONS_PATH } from "./mcp/icons.ts";
import type { Config } from "./config/config.ts";
import { loginServicesOf, pageFiles, servicesOf } from "./services.ts";

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
      async fetch(request, env, ctx) {
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
        // Guard: Access, the page's own origin, and the permission to run commands.
        if (pathname === TERMINAL_PATH) {
          return await handleTerminal(request, {
            ...servicesOf(env, config).terminal,
            admit: (asking) => admitVisitor(asking, config),
            idOf: (visitor) => visitorId(loginServicesOf(env).store, visitor),
            publicUrl: config.publicUrl,
            grants: grantsOf(getOAuthApi(options, env), loginServicesOf(env).store),
          });
        }
        // Guard: Access.
        if (pathname.startsWith(API_PATH)) {
          return await handleAdmin(request, {
            ...servicesOf(env, config).admin,
            admit: (asking) => admitVisitor(asking, config),
            idOf: (visitor) => visitorId(loginServicesOf(env).store, visitor),
            publicUrl: config.publicUrl,
            grants: grantsOf(getOAuthApi(options, env), loginServicesOf(env).store),
            waitUntil: (work) => ctx.waitUntil(work),
          });
        }
        // Guard: Access, for its files as for what they show.
        if (pathname.startsWith(ADMIN_PATH)) {
          return await handlePage(request, { admit: (asking) => admitVisitor(asking, config), assets: pageFiles(env) });
        }
        // Guard: none. It tells nothing but where the page is.
        if (`${pathname}/` === ADMIN_PATH) {
          return new Response(null, { status: 308, headers: { location: ADMIN_PATH } });
        }
        // Guard: the token of the container's present start.
        if (pathname.startsWith(BRIDGE_PATH)) return await handleBridge(request, servicesOf(env, config).bridge);
        // Guard: none. The icons are the same for everybody and tell nothing.
        if (pathname.startsWith(ICONS_PATH)) return handleIcon(pathname);
        if (pathname === "/") return front(request, config);
        return new Response("There is nothing here. The MCP endpoint is /mcp.\n", { status: 404 });
      },
    },
  };
  const options: OAuthProviderOptions = oauthOptions(config, handlers, loginServicesOf);
  const provider = new OAuthProvider(options);
  const control = (request: Request, env: Cloudflare.Env, ctx: ExecutionContext, controlUrl: string) =>
    handleControlUi(request, {
      ...servicesOf(env, config).control,
      controlUrl,
      admit: (asking) => admitVisitor(asking, config),
      idOf: (visitor) => visitorId(loginServicesOf(env).store, visitor),
      waitUntil: (work) => ctx.waitUntil(work),
    });
  return {
    async fetch(request, env, ctx) {
      const { controlUrl } = config;
      // Guard: Access, and its own pages alone. The whole host, so that nothing of the Worker's is on the gateway's origin.
      if (controlUrl !== undefined && new URL(request.url).host === new URL(controlUrl).host) {
        return await control(request, env, ctx, controlUrl);
      }
      return await provider.fetch(request, env, ctx);
    },
    scheduled: (env) => purge(getOAuthApi(options, env), loginServicesOf(env).store),
  };
}

/** Guard: none. It tells nothing but addresses. A person with a browser is sent on to the gateway's own page. */
function front(request: Request, { mcpUrl, controlUrl }: Config): Response {
  const isPerson = (request.headers.get("accept") ?? "").includes("text/html");
  if (isPerson && controlUrl !== undefined) {
    return new Response(null, { status: 302, headers: { location: `${controlUrl}/`, "cache-control": "no-store" } });
  }
  const about = [
    `This is a Moltbot. Its MCP endpoint is ${mcpUrl}, its page is ${ADMIN_PATH}`,
    ...(controlUrl === undefined
      ? ["The gateway's Control UI is not served: CONTROL_UI_URL has to name a host of its own for it."]
      : [`The gateway's Control UI is ${controlUrl}`]),
  ];
  return new Response(`${about.join("\n")}\n`);
}
