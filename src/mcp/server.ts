import { Server } from "@modelcontextprotocol/server";
import type { Grant } from "../auth/principal.ts";
import type { Journal } from "../core/journal.ts";
import { cancelCall } from "../tools/cancel.ts";
import type { ToolServices } from "../tools/services.ts";
import type { AnyTool } from "../tools/tool.ts";
import { describeTool, toolsFor } from "./describe.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { callerKey, callTool } from "./pipeline.ts";

const VERSION = "0.1.0";

/** A server for one request. It speaks the protocol; what tools there are and how they run is decided elsewhere. */
export function mcpServer(
  tools: readonly AnyTool[],
  services: ToolServices,
  caller: Grant,
  journal: Journal,
  waitUntil: (work: Promise<void>) => void,
): Server {
  const server = new Server(
    { name: "moltbot", title: "Moltbot", version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  const offered = toolsFor(tools, caller.scopes);
  server.setRequestHandler("tools/list", () => ({ tools: offered.map(describeTool) }));
  server.setRequestHandler("tools/call", async (request, { mcpReq }) => {
    const token = mcpReq._meta?.progressToken;
    let step = 0;
    return await callTool(tools, services, caller, {
      name: request.params.name,
      input: request.params.arguments,
      requestId: mcpReq.id,
      signal: mcpReq.signal,
      journal,
      async progress(message) {
        if (token === undefined) return;
        step += 1;
        await mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken: token, progress: step, message },
        });
      },
    });
  });
  // Clients of 2025 cancel by a request of its own, which reaches another server than the call it is about.
  server.setNotificationHandler("notifications/cancelled", ({ params }) => {
    if (params.requestId !== undefined) waitUntil(cancelCall(services, callerKey(caller, params.requestId)));
  });
  return server;
}
