import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, tab } from "./fields.ts";
import { savedAnswer, savedOutput, saveAs } from "./saved.ts";

export const browserPdf = defineTool({
  name: "browser_pdf",
  title: "Print to PDF",
  description: "Saves the page as a PDF in the sandbox.",
  scope: "browser",
  effect: "write",
  openWorld: true,
  needs: ["browser", "files"],
  input: z.strictObject({
    save_as: saveAs,
    landscape: z.boolean().optional(),
    pages: z
      .string()
      .max(50)
      .regex(/^[\d, -]*$/, "must be like 1-3,5")
      .optional(),
    tab,
  }),
  output: savedOutput,
  deadlineMs: DEADLINE_MS,
  async run({ save_as: name, ...input }, { browser, files }, call) {
    return await savedAnswer(unwrap(await browser(call.principal).pdf(given(input))), name, files);
  },
});
