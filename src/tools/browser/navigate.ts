import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { Failure } from "../../core/failure.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, moreText, page, pageText, tab, waitSeconds } from "./fields.ts";

export const browserNavigate = defineTool({
  name: "browser_navigate",
  title: "Open a page",
  description:
    "Opens a page in your own browser session and shows what can be acted on. Sessions close after 5 idle minutes.",
  scope: "browser",
  effect: "write",
  openWorld: true,
  needs: ["browser"],
  input: z.strictObject({
    url: z.string().min(1).max(4000).optional(),
    move: z.enum(["back", "forward", "reload"]).optional().describe("Instead of url."),
    new_tab: z.boolean().optional(),
    until: z.enum(["domcontentloaded", "load", "idle"]).optional(),
    wait_seconds: waitSeconds,
    tab,
  }),
  output: z.object({
    page,
    status: z.number().optional(),
    snapshot: z.string(),
    total: z.number(),
    cursor: z.string().optional(),
  }),
  deadlineMs: DEADLINE_MS,
  async run({ url, move, new_tab: newTab, until, wait_seconds: seconds, tab: name }, { browser }, call) {
    if ((url === undefined) === (move === undefined)) throw new Failure("invalid_input", "Give either url or move.");
    const waitMs = seconds === undefined ? undefined : seconds * 1000;
    const data = unwrap(await browser(call.principal).navigate(given({ url, move, newTab, until, waitMs, tab: name })));
    const status = data.status !== undefined && data.status >= 400 ? `HTTP ${data.status}` : "";
    return { data, text: joined(pageText(data.page), status, data.snapshot, moreText(data.cursor)) };
  },
});
