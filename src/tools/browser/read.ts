import { z } from "zod";
import { MOST_CHARACTERS, SNAPSHOT_CHARACTERS } from "../../browser/limits.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, ref, tab } from "./fields.ts";

export const browserRead = defineTool({
  name: "browser_read",
  title: "Read a page",
  description: "The page's main text as Markdown, with its links.",
  scope: "browser",
  effect: "read",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({
    ref: ref.optional().describe("Only this element."),
    offset: z.number().int().min(0).optional(),
    characters: z.number().int().min(500).max(MOST_CHARACTERS).optional().describe(`Default ${SNAPSHOT_CHARACTERS}.`),
    tab,
  }),
  output: z.object({ page, text: z.string(), total: z.number(), next_offset: z.number().optional() }),
  deadlineMs: DEADLINE_MS,
  async run(input, { browser }, call) {
    const data = unwrap(await browser(call.principal).read(given(input)));
    const more =
      data.next_offset === undefined ? "" : `[${data.total} characters: go on with offset ${data.next_offset}]`;
    return { data, text: joined(pageText(data.page), data.text || "[no text]", more) };
  },
});
