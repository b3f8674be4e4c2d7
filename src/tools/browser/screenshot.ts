import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, pictureBlock, ref, tab } from "./fields.ts";

export const browserScreenshot = defineTool({
  name: "browser_screenshot",
  title: "Picture of a page",
  description: "What the page looks like, at most 1568 px a side. To act, browser_snapshot is better.",
  scope: "browser",
  effect: "read",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({
    ref: ref.optional().describe("Only this element."),
    full_page: z.boolean().optional(),
    format: z.enum(["jpeg", "png"]).optional(),
    tab,
  }),
  output: z.object({ page, width: z.number(), height: z.number(), bytes: z.number(), cut: z.boolean().optional() }),
  deadlineMs: DEADLINE_MS,
  async run({ ref: element, full_page: fullPage, format, tab: name }, { browser }, call) {
    const shot = unwrap(await browser(call.principal).screenshot(given({ ref: element, fullPage, format, tab: name })));
    const { page: state, width, height, bytes, cut } = shot;
    return {
      data: { page: state, width, height, bytes, ...(cut ? { cut } : {}) },
      text: joined(pageText(state), cut ? "[Cut at the bottom: scroll with browser_act for the rest.]" : ""),
      blocks: [pictureBlock(shot)],
    };
  },
});
