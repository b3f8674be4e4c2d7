import { createMcpHandler } from "agents/mcp/server";
import { toFailure } from "../core/failure.ts";
import type { Journal } from "../core/journal.ts";
import { log } from "../core/log.ts";
import type { ToolServices } from "../tools/services.ts";
import { TOOLS } from "../tools/registry.ts";
import { INTERNAL_ERROR, PARSE_ERROR } from "@modelcontextprotocol/server";
import type { Grant } from "../auth/principal.ts";
import { readJson } from "./body.ts";
import { mcpServer } from "./server.ts";

export interface McpOptions {
  /** Hostname of the public URL: the only one in a browser's Origin that is let in. */
  hostname: string;
  services: ToolServices;
  caller: Grant;
  journal: Journal;
}

/** `/mcp`, behind the OAuth provider, which has verified who the caller is. */
export async function handleMcp(request: Request, ctx: ExecutionContext, options: McpOptions): Promise<Response> {
  const handler = createMcpHandler(
    () => mcpServer(TOOLS, options.services, options.caller, options.journal, (work) => ctx.waitUntil(work)),
    {
      // In "auto" not even headers are sent before the first notification: proxies and clients give up meanwhile.
      responseMode: "sse",
      keepAliveMs: 15_000,
      allowedHostnames: [options.hostname],
      allowedOriginHostnames: [options.hostname],
    },
  );
  if (request.method !== "POST") return await handler.fetch(request);
  try {
    return await handler.fetch(request, { parsedBody: await readJson(request) });
  } catch (error) {
    const { code, status, message, hint, cause } = toFailure(error);
    log(code === "internal" ? "error" : "info", "mcp.request", { outcome: code, cause });
    const text = hint ? `${message} ${hint}` : message;
    return Response.json(
      { jsonrpc: "2.0", id: null, error: { code: code === "internal" ? INTERNAL_ERROR : PARSE_ERROR, message: text } },
      { status },
    );
  }
}
