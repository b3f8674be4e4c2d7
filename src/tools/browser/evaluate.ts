import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, ref, tab, waitSeconds } from "./fields.ts";

export const browserEvaluate = defineTool({
  name: "browser_evaluate",
  title: "Run JavaScript in a page",
  description:
    "Evaluates an expression in the page (await works), or a function that is given the element, and returns JSON.",
  scope: "browser",
  effect: "destructive",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({
    expression: z.string().min(1).max(50_000),
    ref: ref.optional(),
    wait_seconds: waitSeconds,
    tab,
  }),
  output: z.object({ page, value: z.string() }),
  deadlineMs: DEADLINE_MS,
  async run({ wait_seconds: seconds, ...input }, { browser }, call) {
    const waitMs = seconds === undefined ? undefined : seconds * 1000;
    const data = unwrap(await browser(call.principal).evaluate(given({ ...input, waitMs })));
    return { data, text: joined(pageText(data.page), data.value) };
  },
});
