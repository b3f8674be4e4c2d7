import { z } from "zod";
import { ACTIONS } from "../../browser/step.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, moreText, page, pageText, ref, tab } from "./fields.ts";

const MOST_STEPS = 20;
const MOST_TEXT = 20_000;

const step = z.strictObject({
  do: z.enum(ACTIONS),
  ref: ref.optional(),
  value: z
    .union([z.string().max(MOST_TEXT), z.array(z.string().max(1000)).max(50)])
    .optional()
    .describe(
      "Text; secret:NAME for the owner's secrets; key (Control+A); option(s); scroll: up, down, top, bottom, pixels.",
    ),
  to: ref.optional().describe("Where drag ends."),
});

export const browserAct = defineTool({
  name: "browser_act",
  title: "Act on a page",
  description:
    "Does steps in turn until one fails, and shows what changed: - gone, + new, ~ changed. After a new page, its outline.",
  scope: "browser",
  effect: "destructive",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({
    steps: z.array(step).min(1).max(MOST_STEPS),
    show: z.enum(["changes", "snapshot", "nothing"]).optional(),
    tab,
  }),
  output: z.object({
    page,
    done: z.number(),
    failed: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
    changes: z.string().optional(),
    cursor: z.string().optional(),
  }),
  deadlineMs: DEADLINE_MS,
  async run({ steps, show = "changes", tab: name }, { browser }, call) {
    const data = unwrap(await browser(call.principal).act(given({ steps, show, tab: name })));
    const { failed } = data;
    const problem = failed
      ? joined(`Step ${data.done + 1} of ${steps.length} failed: ${failed.message}`, failed.hint ?? "")
      : "";
    const shown = data.changes === "" ? "[nothing changed]" : (data.changes ?? "");
    return {
      data,
      text: joined(pageText(data.page), problem, shown, moreText(data.cursor)),
      failed: failed !== undefined,
    };
  },
});
