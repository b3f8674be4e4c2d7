import { SCOPES } from "../src/core/scope.ts";
import { CATALOG, toolsetOf, toolsetsOf } from "../src/mcp/catalog.ts";
import type { AnyTool } from "../src/tools/tool.ts";
import { describePrompt, describeResource, describeTemplate, describeTool, isTemplate } from "../src/mcp/describe.ts";

/** Stands for wherever the Worker is. */
const PUBLIC_URL = "https://moltbot.example";

const propertySchema = (value: unknown): { type?: unknown; description?: unknown } =>
  typeof value === "object" && value !== null ? value : {};

/** docs/tools.md. */
export function toolsPage(): string {
  const scopes = Object.entries(SCOPES).map(([name, meaning]) => `- \`${name}\`: ${meaning}`);
  const toolsets = toolsetsOf(CATALOG).map((toolset) => {
    const names = CATALOG.tools.filter((tool) => toolsetOf(tool) === toolset).map(({ name }) => `\`${name}\``);
    return `- \`${toolset}\`: ${names.join(", ")}`;
  });
  const tools = CATALOG.tools.map((tool) => {
    const { inputSchema } = describeTool(tool, PUBLIC_URL);
    const required = new Set(inputSchema.required);
    const fields = Object.entries(inputSchema.properties ?? {}).map(([name, value]) => {
      const { type = "", description = "" } = propertySchema(value);
      return `| \`${name}\`${required.has(name) ? " *" : ""} | ${String(type)} | ${String(description)} |`;
    });
    const table =
      fields.length === 0 ? "No arguments." : `| Argument | Type | |\n| --- | --- | --- |\n${fields.join("\n")}`;
    const task = tool.tasks ? " Long work becomes a task for clients that follow tasks." : "";
    return `### ${tool.name}\n\n${tool.description}\n\nPermission ${permissions(tool)}; effect: ${tool.effect}.${task}\n\n${table}`;
  });
  const prompts = CATALOG.prompts.map((prompt) => {
    const fields = (describePrompt(prompt).arguments ?? []).map(
      ({ name, required, description }) => `\`${name}\`${required ? " *" : ""} (${description ?? ""})`,
    );
    return `- \`${prompt.name}\`: ${prompt.description} Arguments: ${fields.join(", ")}`;
  });
  const resources = CATALOG.resources.map(
    ({ uri, description, scope }) => `- \`${uri}\`: ${description} Permission \`${scope}\`.`,
  );
  return `# Tools, prompts and resources

Made from \`src/tools/\`, \`src/prompts/\` and \`src/resources/\` by \`npm run generate\`. An argument with * has to be given.

The permissions a person grants on the consent page:

${scopes.join("\n")}

## A part of the tools

A client can ask for less than it was granted, which leaves its model more room:

- \`/mcp?toolsets=chat,file\`, or the header \`X-MCP-Toolsets: chat,file\`: only these toolsets;
- \`/mcp/readonly\`, or the header \`X-MCP-Readonly: true\`: only what changes nothing.

The toolsets:

${toolsets.join("\n")}

Prompts are offered with the tools they use, resources with their toolset.

## Tools

${tools.join("\n\n")}

## Prompts

${prompts.join("\n")}

## Resources

What is too long for a result is linked from it, and can be read here in parts. A part says where the next one is.

${resources.join("\n")}
`;
}

function permissions({ scope, moreScopes }: AnyTool): string {
  const of = Object.entries(moreScopes?.of ?? {});
  const more = [...new Set(of.map(([, needed]) => needed))].map((needed) => {
    const values = of.filter(([, each]) => each === needed).map(([value]) => value);
    return `, and \`${needed}\` for ${values.join(", ")}`;
  });
  return [`\`${scope}\``, ...more].join("");
}

/** What clients see of everything that is offered, so that no schema changes unnoticed. */
export const SNAPSHOTS: Record<string, () => string> = {
  "test/snapshots/tools.json": () => json(CATALOG.tools.map((tool) => describeTool(tool, PUBLIC_URL))),
  "test/snapshots/prompts.json": () => json(CATALOG.prompts.map(describePrompt)),
  "test/snapshots/resources.json": () =>
    json(CATALOG.resources.map((each) => (isTemplate(each) ? describeTemplate(each) : describeResource(each)))),
};

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
