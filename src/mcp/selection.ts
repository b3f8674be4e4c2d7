import { Failure } from "../core/failure.ts";
import { type Catalog, toolsetOf, toolsetsOf } from "./catalog.ts";

export const MCP_PATH = "/mcp";
export const READONLY_PATH = "/mcp/readonly";

/** What a client wants to see of what it was granted: less context for its model, or no way to change anything. */
export interface Selection {
  /** Undefined: all. */
  toolsets?: ReadonlySet<string>;
  readOnly: boolean;
}

/** As the address and the headers say. They narrow one another, and none of them gives what was not granted. */
export function selectionOf(request: Request, catalog: Catalog): Selection {
  const { pathname, searchParams } = new URL(request.url);
  const readOnly = pathname === READONLY_PATH || isSet(request.headers.get("x-mcp-readonly"));
  const asked = [...searchParams.getAll("toolsets"), request.headers.get("x-mcp-toolsets")].filter(
    (value) => value !== null,
  );
  if (asked.length === 0) return { readOnly };
  const known = toolsetsOf(catalog);
  const named = asked.map((value) => namesIn(value, known));
  return { readOnly, toolsets: new Set(known.filter((name) => named.every((names) => names.includes(name)))) };
}

/** The catalog with what the client wants to see of it. Prompts and resources go with the tools they belong to. */
export function selected(catalog: Catalog, { toolsets, readOnly }: Selection): Catalog {
  const wanted = (toolset: string) => toolsets === undefined || toolsets.has(toolset);
  const tools = catalog.tools.filter((tool) => wanted(toolsetOf(tool)) && (!readOnly || tool.effect === "read"));
  const names = new Set(tools.map(({ name }) => name));
  return {
    tools,
    prompts: catalog.prompts.filter(({ uses }) => uses.every((name) => names.has(name))),
    resources: catalog.resources.filter(({ toolset }) => wanted(toolset)),
  };
}

function namesIn(value: string, known: readonly string[]): string[] {
  const names = value
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const strange = names.find((name) => !known.includes(name));
  if (strange === undefined && names.length > 0) return names;
  // What was sent is not repeated: it may be anything.
  throw new Failure("invalid_input", names.length === 0 ? "No toolset is named." : "There is no such toolset.", {
    hint: `The toolsets are: ${known.join(", ")}.`,
  });
}

/** Whatever is not plainly "no" asks for less. */
function isSet(header: string | null): boolean {
  return header !== null && !["", "0", "false", "no"].includes(header.trim().toLowerCase());
}
