import { z } from "zod";
import { scopesFor } from "../tools/tool.ts";
import type { Catalog } from "./catalog.ts";

const asking = z.object({
  method: z.enum(["tools/call", "prompts/get", "resources/read"]),
  params: z.object({ name: z.string().optional(), uri: z.string().optional(), arguments: z.unknown().optional() }),
});

/**
 * The scopes that a message needs and its caller was not given. Empty for everything else, also for what is not there
 * at all: that is the pipeline's to say.
 */
export function missingScopes(message: unknown, catalog: Catalog, granted: readonly string[]): string[] {
  const asked = asking.safeParse(message);
  if (!asked.success) return [];
  const { method, params } = asked.data;
  const needed =
    method === "tools/call"
      ? neededForCall(params, catalog)
      : neededBy(method, params.name ?? params.uri ?? "", catalog);
  return [...new Set(needed)].filter((scope) => !granted.includes(scope));
}

function neededForCall({ name, arguments: input }: z.output<typeof asking>["params"], catalog: Catalog): string[] {
  return catalog.tools.filter((tool) => tool.name === name).flatMap((tool) => scopesFor(tool, input));
}

function neededBy(method: "prompts/get" | "resources/read", target: string, catalog: Catalog): string[] {
  switch (method) {
    case "prompts/get": {
      const uses = catalog.prompts.find(({ name }) => name === target)?.uses ?? [];
      return catalog.tools.filter(({ name }) => uses.includes(name)).map(({ scope }) => scope);
    }
    case "resources/read":
      return catalog.resources.filter(({ uri }) => schemeOf(uri) === schemeOf(target)).map(({ scope }) => scope);
  }
}

function schemeOf(uri: string): string {
  return uri.split(":", 1)[0] ?? uri;
}

/**
 * 403 with all the scopes a new token should have: those it has and those it lacks, for a client that asks for the
 * lacking ones only would lose the others.
 */
export function insufficientScope(
  message: unknown,
  granted: readonly string[],
  missing: readonly string[],
  metadataUrl: string,
): Response {
  const scope = [...granted, ...missing].join(" ");
  const description = `This needs the permission ${missing.join(", ")}, which was not given`;
  const challenge = [
    'Bearer error="insufficient_scope"',
    `error_description="${description}"`,
    `scope="${scope}"`,
    `resource_metadata="${metadataUrl}"`,
  ];
  const id = z.object({ id: z.union([z.string(), z.number()]) }).safeParse(message);
  const text = `${description}. Connect again and tick it on the consent page.`;
  return Response.json(
    { jsonrpc: "2.0", id: id.success ? id.data.id : null, error: { code: FORBIDDEN, message: text } },
    { status: 403, headers: { "www-authenticate": challenge.join(", ") } },
  );
}

/** Of the range that JSON-RPC leaves to servers. */
const FORBIDDEN = -32_003;
