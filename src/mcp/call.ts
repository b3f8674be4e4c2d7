import { CLIENT_CAPABILITIES_META_KEY, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { argumentsDigest } from "../core/digest.ts";
import type { Call } from "../tools/tool.ts";
import { callerKey, type McpContext } from "./context.ts";
import { TASKS_EXTENSION, type ToolCall } from "./pipeline.ts";
import type { RequestState } from "./request-state.ts";

type Received = ServerContext["mcpReq"];

/** `tools/call`, or `prompts/get`, as the pipeline takes it. */
export function toolCallOf(
  context: McpContext,
  state: RequestState,
  params: { name: string; arguments?: unknown },
  protocol: ServerContext,
): ToolCall {
  const { name, arguments: input } = params;
  const { mcpReq } = protocol;
  return {
    ...callOf(context, mcpReq),
    name,
    input,
    async resume() {
      const answers = z.record(z.string(), z.unknown()).safeParse(mcpReq.inputResponses);
      const verified: unknown = mcpReq.requestState();
      if (!answers.success && verified === undefined) return undefined;
      return {
        answers: answers.data ?? {},
        // Who answers without the state that came with the question has the tool begin anew.
        state: verified === undefined ? undefined : state.read(verified, name, await argumentsDigest(input)),
      };
    },
    sign: async (value) => await state.sign(name, await argumentsDigest(input), value, protocol),
  };
}

/** What every request says of its client and takes back to it. */
export function callOf({ caller }: McpContext, mcpReq: Received): Omit<Call, "resumed"> {
  return {
    principal: caller.principal.id,
    client: caller.clientId,
    scopes: caller.scopes,
    caller: callerKey(caller, mcpReq.id),
    signal: mcpReq.signal,
    progress: progressOf(mcpReq),
    ...declared(mcpReq),
  };
}

/**
 * What the client can do, as this request says: those of 2026 say it with each. A client of 2025 said it when it
 * connected, to a server that is gone, and could not be asked in the middle of a call either.
 */
function declared(mcpReq: Received): { canAsk: boolean; canTask: boolean } {
  const envelope: Record<string, unknown> = { ...mcpReq.envelope };
  const known = capabilities.safeParse(envelope[CLIENT_CAPABILITIES_META_KEY]);
  if (!known.success) return { canAsk: false, canTask: false };
  const { elicitation, extensions } = known.data;
  // An empty object is the older way to say "forms".
  const canAsk = elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
  return { canAsk, canTask: extensions?.[TASKS_EXTENSION] !== undefined };
}

const capabilities = z.object({
  elicitation: z.object({ form: z.unknown(), url: z.unknown() }).partial().optional(),
  extensions: z.record(z.string(), z.unknown()).optional(),
});

function progressOf(mcpReq: Received): Call["progress"] {
  const progressToken = mcpReq._meta?.progressToken;
  let said = 0;
  return async (message, steps) => {
    if (progressToken === undefined) return;
    said += 1;
    const progress = steps ? { progress: steps.done, total: steps.total } : { progress: said };
    await mcpReq.notify({ method: "notifications/progress", params: { progressToken, message, ...progress } });
  };
}
