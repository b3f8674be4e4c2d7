import { z } from "zod";
import { MOST_WAIT_MS } from "../../browser/limits.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, tab, waitSeconds } from "./fields.ts";

const MOST_PAUSE_SECONDS = 30;

export const browserWait = defineTool({
  name: "browser_wait",
  title: "Wait for a page",
  description: "Waits until all that is named is so, or the time is over.",
  scope: "browser",
  effect: "read",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({
    text: z.string().min(1).max(500).optional().describe("Is seen."),
    gone: z.string().min(1).max(500).optional().describe("Text that is not seen."),
    url: z.string().min(1).max(500).optional().describe("The address holds this."),
    idle: z.boolean().optional().describe("No requests."),
    seconds: z.number().min(0).max(MOST_PAUSE_SECONDS).optional().describe("A plain pause first."),
    wait_seconds: waitSeconds,
    tab,
  }),
  output: z.object({ page, met: z.boolean() }),
  deadlineMs: DEADLINE_MS,
  async run({ wait_seconds: most, ...input }, { browser }, call) {
    const left = MOST_WAIT_MS - (input.seconds ?? 0) * 1000;
    const waitMs = most === undefined ? undefined : Math.min(most * 1000, left);
    const data = unwrap(await browser(call.principal).wait(given({ ...input, waitMs })));
    return { data, text: joined(pageText(data.page), data.met ? "It is so." : "[It was not so in that time.]") };
  },
});
