import { z } from "zod";
import { ownerMark } from "../../chat/conversation.ts";
import { unwrap } from "../../core/reply.ts";
import { KINDS } from "../../memory/search/hit.ts";
import { defineTool } from "../tool.ts";

const DEFAULT_HITS = 10;
const MOST_HITS = 50;

export const memorySearch = defineTool({
  name: "memory_search",
  title: "Search the Moltbot's memory",
  description:
    "Full-text search over the Moltbot's notes and conversations, best first. Every word has to occur, or, if nothing has them all, any; words in double quotes are a phrase. Works while the Moltbot sleeps, and does not wake it.",
  scope: "memory",
  effect: "read",
  idempotent: true,
  needs: ["memory"],
  input: z.strictObject({
    query: z.string().min(1, "must not be empty").max(500, "is too long").describe("What to look for."),
    limit: z.number().int().min(1).max(MOST_HITS).optional().describe(`How many passages. Default ${DEFAULT_HITS}.`),
    kinds: z.array(z.enum(KINDS)).min(1).optional().describe("Only notes, or only conversations. Default both."),
    since: z.iso
      .datetime({ offset: true })
      .optional()
      .describe("Only what was said or written since this time, ISO 8601."),
  }),
  output: z.object({
    hits: z.array(
      z.object({ path: z.string(), line: z.number(), kind: z.enum(KINDS), at: z.string(), snippet: z.string() }),
    ),
    /** The last changes are not searched yet. */
    behind: z.boolean(),
  }),
  deadlineMs: 30_000,
  async run({ query, limit = DEFAULT_HITS, kinds = KINDS, since }, { memory }, { principal }) {
    const reader = await ownerMark(principal);
    const from = since === undefined ? "" : new Date(since).toISOString();
    const found = unwrap(await memory.search({ reader, query, limit, kinds, since: from }));
    const hits = found.hits.map(({ path, line, kind, at, snippet }) => ({ path, line, kind, at, snippet }));
    const lines = hits.map(({ path, line, at, snippet }) => `${path}:${line} (${at})\n${snippet}`);
    if (hits.length === 0) lines.push("Nothing in the memory has these words. Try fewer or other ones.");
    if (found.behind) lines.push("[The last changes are not searched yet: try again in a few seconds.]");
    return { data: { hits, behind: found.behind }, text: lines.join("\n\n") };
  },
});
