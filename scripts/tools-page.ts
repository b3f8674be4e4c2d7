import { describeTool } from "../src/mcp/describe.ts";
import { SCOPES } from "../src/core/scope.ts";
import { TOOLS } from "../src/tools/registry.ts";

const propertySchema = (value: unknown): { type?: unknown; description?: unknown } =>
  typeof value === "object" && value !== null ? value : {};

/** docs/tools.md. */
export function toolsPage(): string {
  const scopes = Object.entries(SCOPES).map(([name, meaning]) => `- \`${name}\`: ${meaning}`);
  const tools = TOOLS.map((tool) => {
    const { inputSchema } = describeTool(tool);
    const required = new Set(inputSchema.required);
    const fields = Object.entries(inputSchema.properties ?? {}).map(([name, value]) => {
      const { type = "", description = "" } = propertySchema(value);
      return `| \`${name}\`${required.has(name) ? " *" : ""} | ${String(type)} | ${String(description)} |`;
    });
    const table =
      fields.length === 0 ? "No arguments." : `| Argument | Type | |\n| --- | --- | --- |\n${fields.join("\n")}`;
    return `## ${tool.name}\n\n${tool.description}\n\nPermission \`${tool.scope}\`; effect: ${tool.effect}.\n\n${table}`;
  });
  return `# Tools

Made from \`src/tools/\` by \`npm run generate\`. An argument with * has to be given.

The permissions a person grants on the consent page:

${scopes.join("\n")}

${tools.join("\n\n")}
`;
}

/** test/snapshots/tools.json: what clients see of every tool, so that no schema changes unnoticed. */
export function toolSchemas(): string {
  return `${JSON.stringify(TOOLS.map(describeTool), null, 2)}\n`;
}
