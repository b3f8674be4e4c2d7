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

/** A model needs one of these, by its present name or its old one. */
const PROVIDER = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_BASE_URL",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "COMPATIBLE_BASE_URL",
  "AI_GATEWAY_URL",
  "AI_GATEWAY_BASE_URL",
  "CF_AI_GATEWAY_ACCOUNT_ID",
];

/** Whether the person has a model provider of their own; without one the stand-in answers. */
export function hasProvider(variables: Record<string, string>): boolean {
  return PROVIDER.some((name) => variables[name] !== undefined);
}
