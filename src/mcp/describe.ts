import type { Tool as ToolDescription } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Scope } from "../core/scope.ts";
import type { AnyTool } from "../tools/tool.ts";

/** Schemas are the same for every caller, so they are made once per isolate. */
const descriptions = new WeakMap<AnyTool, ToolDescription>();

/** A tool as `tools/list` shows it. Annotations follow from its effect. */
export function describeTool(tool: AnyTool): ToolDescription {
  const known = descriptions.get(tool);
  if (known) return known;
  const description: ToolDescription = {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: objectSchema(tool.input, "input"),
    outputSchema: objectSchema(tool.output, "output"),
    annotations: {
      title: tool.title,
      readOnlyHint: tool.effect === "read",
      destructiveHint: tool.effect === "destructive",
      idempotentHint: tool.idempotent ?? false,
      openWorldHint: tool.openWorld ?? false,
    },
  };
  descriptions.set(tool, description);
  return description;
}

/** The tools a caller may use, in the registry's order. */
export function toolsFor(tools: readonly AnyTool[], granted: readonly string[]): AnyTool[] {
  return tools.filter((tool) => isGranted(tool.scope, granted));
}

export function isGranted(scope: Scope, granted: readonly string[]): boolean {
  return granted.includes(scope);
}

const jsonSchema = z.looseObject({
  type: z.literal("object"),
  properties: z.record(z.string(), z.json()).exactOptional(),
  required: z.array(z.string()).exactOptional(),
});

function objectSchema(schema: z.ZodObject, io: "input" | "output"): ToolDescription["inputSchema"] {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io });
  return jsonSchema.parse(json);
}
