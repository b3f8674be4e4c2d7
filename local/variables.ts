import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

/** `.dev.vars` as NAME → value; empty when there is none. */
export function readDevVars(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(readFileSync(path, "utf8")))) {
    if (value !== undefined && value !== "") variables[name] = value;
  }
  return variables;
}

/** Whether the person has a model provider of their own; without one the stand-in answers. */
export function hasProvider(variables: Record<string, string>): boolean {
  return variables.ANTHROPIC_API_KEY !== undefined || variables.ANTHROPIC_BASE_URL !== undefined;
}
