import type { Prompt, Resource, ResourceTemplateType, Tool } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { AnyPrompt } from "../prompts/prompt.ts";
import type { AnyResource } from "../resources/resource.ts";
import type { AnyTool } from "../tools/tool.ts";
import { toolsetOf } from "./catalog.ts";
import { iconOf } from "./icons.ts";

/** Schemas are the same for every caller, so they are made once per isolate. */
const described = new WeakMap<AnyTool, Tool>();

/** A tool as `tools/list` shows it. Annotations follow from its effect. */
export function describeTool(tool: AnyTool, publicUrl: string): Tool {
  const known = described.get(tool);
  if (known) return known;
  const description: Tool = {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    icons: [iconOf(publicUrl, toolsetOf(tool))],
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
  described.set(tool, description);
  return description;
}

/** A prompt as `prompts/list` shows it. */
export function describePrompt({ name, title, description, input }: AnyPrompt): Prompt {
  const { properties = {}, required = [] } = objectSchema(input, "input");
  const fields = z.record(z.string(), z.object({ description: z.string().optional() })).parse(properties);
  return {
    name,
    title,
    description,
    arguments: Object.entries(fields).map(([argument, field]) => ({
      name: argument,
      ...(field.description ? { description: field.description } : {}),
      required: required.includes(argument),
    })),
  };
}

export function isTemplate({ uri }: AnyResource): boolean {
  return uri.includes("{");
}

/** A resource with an address of its own, as `resources/list` shows it. */
export function describeResource({ uri, ...facts }: AnyResource): Resource {
  return { uri, ...factsOf(facts) };
}

/** A family of resources, as `resources/templates/list` shows it. */
export function describeTemplate({ uri, ...facts }: AnyResource): ResourceTemplateType {
  return { uriTemplate: uri, ...factsOf(facts) };
}

function factsOf({ name, title, description, mimeType }: Omit<AnyResource, "uri">) {
  return { name, title, description, ...(mimeType ? { mimeType } : {}) };
}

const jsonSchema = z.looseObject({
  type: z.literal("object"),
  properties: z.record(z.string(), z.json()).exactOptional(),
  required: z.array(z.string()).exactOptional(),
});

function objectSchema(schema: z.ZodObject, io: "input" | "output"): Tool["inputSchema"] {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io });
  return jsonSchema.parse(json);
}
