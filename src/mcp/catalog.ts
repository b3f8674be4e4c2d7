import { PROMPTS } from "../prompts/registry.ts";
import type { AnyPrompt } from "../prompts/prompt.ts";
import { RESOURCES } from "../resources/registry.ts";
import type { AnyResource } from "../resources/resource.ts";
import { TOOLS } from "../tools/registry.ts";
import type { AnyTool } from "../tools/tool.ts";

/** Everything a server offers, each list in the order clients see it. */
export interface Catalog {
  tools: readonly AnyTool[];
  prompts: readonly AnyPrompt[];
  resources: readonly AnyResource[];
}

export const CATALOG: Catalog = { tools: TOOLS, prompts: PROMPTS, resources: RESOURCES };

/** The part of its name before the underscore. */
export function toolsetOf(tool: { name: string }): string {
  return tool.name.split("_", 1)[0] ?? tool.name;
}

/** The names by which a client can choose a part of the tools. */
export function toolsetsOf(catalog: Catalog): string[] {
  return [...new Set(catalog.tools.map(toolsetOf))];
}
