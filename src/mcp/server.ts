import { Server } from "@modelcontextprotocol/server";
import { z } from "zod";
import { cancelCall } from "../tools/cancel.ts";
import { callOf, toolCallOf } from "./call.ts";
import { toolsetsOf } from "./catalog.ts";
import { complete } from "./completions.ts";
import { callerKey, type McpContext, offered } from "./context.ts";
import { describePrompt, describeResource, describeTemplate, describeTool, isTemplate } from "./describe.ts";
import { iconOf } from "./icons.ts";
import { instructionsFor } from "./instructions.ts";
import { callTool, TASKS_EXTENSION } from "./pipeline.ts";
import { getPrompt } from "./prompts.ts";
import { requestState } from "./request-state.ts";
import { readResource } from "./resources.ts";
import { cancelTask, getTask, updateTask } from "./tasks.ts";

const VERSION = "0.1.0";

/** What is listed changes with a release, a new grant or another address: never for one token at one address. */
const LISTED = { ttlMs: 300_000, cacheScope: "private" } as const;

/** A server for one request. It speaks the protocol; what there is and how it runs is decided elsewhere. */
export function mcpServer(context: McpContext): Server {
  const { caller, services, publicUrl } = context;
  const { tools, prompts, resources } = offered(context);
  const state = requestState(context.signingKey, caller);
  const server = new Server(
    { name: "moltbot", title: "Moltbot", version: VERSION, websiteUrl: publicUrl, icons: [iconOf(publicUrl)] },
    {
      capabilities: { tools: {}, prompts: {}, resources: {}, completions: {}, extensions: { [TASKS_EXTENSION]: {} } },
      instructions: instructionsFor(toolsetsOf({ tools, prompts, resources }), context.selection.readOnly),
      requestState: { verify: state.verify },
      // A question to a client of 2025 is a bug here: it cannot come back with the answer.
      inputRequired: { legacyShim: false },
      cacheHints: {
        "server/discover": LISTED,
        "tools/list": LISTED,
        "prompts/list": LISTED,
        "resources/list": LISTED,
        "resources/templates/list": LISTED,
        "resources/read": { ttlMs: 0, cacheScope: "private" },
      },
    },
  );
  server.setRequestHandler("tools/list", () => ({ tools: tools.map((tool) => describeTool(tool, publicUrl)) }));
  server.setRequestHandler("tools/call", ({ params }, protocol) =>
    callTool(context, toolCallOf(context, state, params, protocol)),
  );
  server.setRequestHandler("prompts/list", () => ({ prompts: prompts.map(describePrompt) }));
  server.setRequestHandler("prompts/get", ({ params }, protocol) =>
    getPrompt(context, toolCallOf(context, state, params, protocol)),
  );
  server.setRequestHandler("resources/list", () => ({
    resources: resources.filter((resource) => !isTemplate(resource)).map(describeResource),
  }));
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: resources.filter(isTemplate).map(describeTemplate),
  }));
  server.setRequestHandler("resources/read", ({ params }, { mcpReq }) =>
    readResource(context, params.uri, callOf(context, mcpReq)),
  );
  server.setRequestHandler("completion/complete", ({ params }, { mcpReq }) =>
    complete(context, params, callOf(context, mcpReq)),
  );
  const task = z.looseObject({ taskId: z.string() });
  server.setRequestHandler("tasks/get", { params: task }, ({ taskId }, { mcpReq }) =>
    getTask(context, taskId, callOf(context, mcpReq)),
  );
  server.setRequestHandler("tasks/cancel", { params: task }, ({ taskId }, { mcpReq }) =>
    cancelTask(context, taskId, callOf(context, mcpReq)),
  );
  const update = task.extend({ inputResponses: z.record(z.string(), z.unknown()).default({}) });
  server.setRequestHandler("tasks/update", { params: update }, ({ taskId, inputResponses }, { mcpReq }) =>
    updateTask(context, taskId, { ...inputResponses, ...mcpReq.inputResponses }, callOf(context, mcpReq)),
  );
  // Clients of 2025 cancel by a request of its own, which reaches another server than the call it is about.
  server.setNotificationHandler("notifications/cancelled", ({ params }) => {
    if (params.requestId !== undefined) {
      context.waitUntil(cancelCall(services, callerKey(caller, params.requestId)));
    }
  });
  return server;
}
