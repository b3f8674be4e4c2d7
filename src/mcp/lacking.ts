import { z } from "zod";
import type { Scope } from "../core/scope.ts";
import type { AnyTool } from "../tools/tool.ts";
import { isGranted } from "./describe.ts";

const toolCallSchema = z.object({ method: z.literal("tools/call"), params: z.object({ name: z.string() }) });

/**
 * The permission that a request needs and its caller was not given. Looked at before the protocol answers, because a
 * client can only ask for more when the refusal is a status and a header.
 */
export function lackingScope(tools: readonly AnyTool[], granted: readonly string[], body: unknown): Scope | undefined {
  const call = toolCallSchema.safeParse(body);
  if (!call.success) return undefined;
  const tool = tools.find(({ name }) => name === call.data.params.name);
  return tool && !isGranted(tool.scope, granted) ? tool.scope : undefined;
}
