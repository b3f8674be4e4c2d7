import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText } from "./fields.ts";

export const browserTabs = defineTool({
  name: "browser_tabs",
  title: "Tabs",
  description: "Lists the tabs after opening, selecting or closing one.",
  scope: "browser",
  effect: "write",
  needs: ["browser"],
  input: z.strictObject({ do: z.enum(["list", "new", "select", "close"]), tab: z.string().optional() }),
  output: z.object({
    page,
    tabs: z.array(z.object({ tab: z.string(), url: z.string(), title: z.string(), active: z.boolean() })),
  }),
  deadlineMs: DEADLINE_MS,
  async run(input, { browser }, call) {
    const data = unwrap(await browser(call.principal).tabs(given(input)));
    const list = data.tabs.map(
      ({ tab, url, title, active }) => `${active ? "*" : " "} ${tab} ${title} ${url.slice(0, 200)}`,
    );
    return { data, text: joined(pageText(data.page), ...list) };
  },
});
