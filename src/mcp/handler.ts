import { createMcpHandler } from "agents/mcp/server";
import type { ToolServices } from "../tools/services.ts";
import { TOOLS } from "../tools/registry.ts";
import type { Grant } from "../auth/principal.ts";
import { mcpServer } from "./server.ts";

/** A picture or two as base64 in a chat message; more than that belongs in a file. */
const MOST_BODY_BYTES = 16 * 1024 * 1024;

export interface McpOptions {
  /** Hostname of the public URL: the only one in a browser's Origin that is let in. */
  hostname: string;
  services: ToolServices;
  caller: Grant;
}

/** `/mcp`, behind the OAuth provider, which has verified who the caller is. */
export async function handleMcp(request: Request, env: unknown, ctx: ExecutionContext, options: McpOptions): Promise<Response> {
  const handler = createMcpHandler(() => mcpServer(TOOLS, options.services, options.caller), {
    // In "auto" not even headers are sent before the first notification: proxies and clients give up meanwhile.
    responseMode: "sse",
    keepAliveMs: 15_000,
    maxRequestBodySize: MOST_BODY_BYTES,
    allowedHostnames: [options.hostname],
    allowedOriginHostnames: [options.hostname],
  });
  return await handler(request, env, ctx);
}
