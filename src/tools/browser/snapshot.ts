import { z } from "zod";
import { MOST_CHARACTERS, SNAPSHOT_CHARACTERS } from "../../browser/limits.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, moreText, page, pageText, ref, tab } from "./fields.ts";

export const browserSnapshot = defineTool({
  name: "browser_snapshot",
  title: "Look at a page",
  description:
    "The page as an outline; names like e12 are for the other tools and stay while the page does. To read text, use browser_read.",
  scope: "browser",
  effect: "read",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({
    mode: z.enum(["interactive", "full"]).optional().describe("Only what can be acted on (default), or everything."),
    ref: ref.optional().describe("Only inside this element."),
    cursor: z.string().max(40).optional().describe("The rest of an earlier one."),
    characters: z.number().int().min(500).max(MOST_CHARACTERS).optional().describe(`Default ${SNAPSHOT_CHARACTERS}.`),
    tab,
  }),
  output: z.object({ page, snapshot: z.string(), total: z.number(), cursor: z.string().optional() }),
  deadlineMs: DEADLINE_MS,
  async run(input, { browser }, call) {
    const data = unwrap(await browser(call.principal).snapshot(given(input)));
    return { data, text: joined(pageText(data.page), data.snapshot || "[nothing]", moreText(data.cursor)) };
  },
});
