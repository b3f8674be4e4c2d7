import type { Grant } from "../auth/principal.ts";
import type { Journal } from "../core/journal.ts";
import type { ToolServices } from "../tools/services.ts";
import type { Catalog } from "./catalog.ts";
import { type Selection, selected } from "./selection.ts";

/** What one request to the MCP endpoint is served with. */
export interface McpContext {
  catalog: Catalog;
  selection: Selection;
  /** Where the Worker is reached, for addresses of pictures. */
  publicUrl: string;
  services: ToolServices;
  caller: Grant;
  journal: Journal;
  /** Signs what clients carry from a question to its answer. At least 32 characters, the same for all requests. */
  signingKey: () => Promise<string>;
  waitUntil: (work: Promise<void>) => void;
}

/** What this caller may use and wants to see: granted, and not left out by the address or the headers. */
export function offered({ catalog, selection, caller }: Pick<McpContext, "catalog" | "selection" | "caller">): Catalog {
  const wanted = selected(catalog, selection);
  const tools = wanted.tools.filter(({ scope }) => caller.scopes.includes(scope));
  const names = new Set(tools.map(({ name }) => name));
  return {
    tools,
    prompts: wanted.prompts.filter(({ uses }) => uses.every((name) => names.has(name))),
    resources: wanted.resources.filter(({ scope }) => caller.scopes.includes(scope)),
  };
}

/** Names one request of one client of one person. */
export function callerKey(caller: Grant, requestId: string | number): string {
  return `${caller.principal.id}:${caller.clientId}:${requestId}`;
}
