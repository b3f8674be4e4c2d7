import { INTERNAL_ERROR, INVALID_REQUEST, type Server } from "@modelcontextprotocol/server";
import { createMcpHandler } from "agents/mcp/server";
import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { readJson } from "./body.ts";
import type { McpContext } from "./context.ts";
import { headersWithin } from "./headers-within.ts";
import { insufficientScope, missingScopes } from "./scopes.ts";
import { MCP_PATH, READONLY_PATH, selectionOf } from "./selection.ts";
import { mcpServer } from "./server.ts";

/** Long enough for a refusal to have a status of its own, and no longer: a client that goes is noticed in the stream only. */
const PATIENCE_MS = 100;
/** A client of 2026 cancels by closing the stream, which the runtime notices at the second write after it. */
const KEEP_ALIVE_MS = 3_000;

export interface McpOptions {
  context: Omit<McpContext, "selection">;
  /** Where a client reads how to get a token with more scopes. */
  metadataUrl: string;
}

/** The MCP endpoint, behind the OAuth provider, which has verified who the caller is. */
export async function handleMcp(request: Request, { context, metadataUrl }: McpOptions): Promise<Response> {
  const { catalog, caller, publicUrl } = context;
  try {
    const { pathname } = new URL(request.url);
    if (pathname !== MCP_PATH && pathname !== READONLY_PATH) {
      throw new Failure("not_found", "There is nothing here.", {
        hint: `The MCP endpoint is ${MCP_PATH}, and ${READONLY_PATH} without what changes anything.`,
      });
    }
    const selection = selectionOf(request, catalog);
    const message = request.method === "POST" ? await readJson(request) : undefined;
    const missing = missingScopes(message, catalog, caller.scopes);
    if (missing.length > 0) return insufficientScope(message, caller.scopes, missing, metadataUrl);
    return await serveMcp(request, message, new URL(publicUrl).hostname, () => mcpServer({ ...context, selection }));
  } catch (error) {
    const { code, status, message, hint, cause } = toFailure(error);
    log(code === "internal" ? "error" : "info", "mcp.request", { outcome: code, cause });
    const text = hint ? `${message} ${hint}` : message;
    return Response.json(
      { jsonrpc: "2.0", id: null, error: { code: status < 500 ? INVALID_REQUEST : INTERNAL_ERROR, message: text } },
      { status },
    );
  }
}

/**
 * The transport of both protocol eras around a server, which is made anew for each request. `hostname` is the only one
 * in a browser's Origin that is let in; `message` is the request's body, if it has one.
 */
export async function serveMcp(
  request: Request,
  message: unknown,
  hostname: string,
  server: () => Server,
): Promise<Response> {
  const handler = createMcpHandler(server, {
    route: new URL(request.url).pathname,
    // A quick answer is one JSON body, whose status can say what is wrong; headersWithin does the rest.
    responseMode: "auto",
    keepAliveMs: KEEP_ALIVE_MS,
    allowedHostnames: [hostname],
    allowedOriginHostnames: [hostname],
  });
  return await headersWithin(PATIENCE_MS, KEEP_ALIVE_MS, request, (passed) =>
    handler.fetch(passed, message === undefined ? undefined : { parsedBody: message }),
  );
}
