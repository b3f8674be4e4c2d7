import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, pictureBlock } from "./fields.ts";

export const browserSession = defineTool({
  name: "browser_session",
  title: "The browser session",
  description:
    "Your session's state; closes it; gives a link to watch it, or hands it to a person (hosted browsers only). look_at_bot shows the Moltbot's own.",
  scope: "browser",
  effect: "write",
  needs: ["browser"],
  input: z.strictObject({
    do: z.enum(["status", "close", "live_view", "handoff", "handoff_done", "look_at_bot"]),
    instructions: z.string().max(2000).optional().describe("What the person is to do."),
  }),
  output: z.looseObject({ open: z.boolean() }),
  deadlineMs: DEADLINE_MS,
  async run(input, { browser }, call) {
    const view = unwrap(await browser(call.principal).session(given(input)));
    const { picture, ...data } = view;
    const { open, tabs, live_view: link, handoff, idle_closes_in_s: left } = data;
    return {
      data,
      text: joined(
        open ? `Open${left === undefined ? "" : `; closes after ${left} idle seconds`}.` : "No browser is open.",
        handoff === "active"
          ? "A person has been asked to take over: give them the link, then browser_session handoff_done."
          : "",
        link === undefined ? "" : `Watch: ${link}`,
        ...tabs.map((tab) => `${tab.active ? "*" : " "} ${tab.tab} ${tab.title} ${tab.url.slice(0, 200)}`),
      ),
      ...(picture ? { blocks: [pictureBlock(picture)] } : {}),
    };
  },
});
