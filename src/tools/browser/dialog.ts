import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, tab } from "./fields.ts";

export const browserDialog = defineTool({
  name: "browser_dialog",
  title: "Answer a dialog",
  description: "Answers the page's open alert, confirm, prompt or question before leaving.",
  scope: "browser",
  effect: "destructive",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({ accept: z.boolean(), text: z.string().max(5000).optional().describe("For a prompt."), tab }),
  output: z.object({ page, answered: z.looseObject({ type: z.string(), message: z.string() }) }),
  deadlineMs: DEADLINE_MS,
  async run(input, { browser }, call) {
    const data = unwrap(await browser(call.principal).dialog(given(input)));
    const said = `${input.accept ? "Accepted" : "Dismissed"}: ${data.answered.type} "${data.answered.message}"`;
    return { data, text: joined(pageText(data.page), said) };
  },
});
