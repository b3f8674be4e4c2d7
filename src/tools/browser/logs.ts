import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, tab } from "./fields.ts";

export const browserLogs = defineTool({
  name: "browser_logs",
  title: "Console and requests",
  description: "The tab's newest console lines or requests (method, URL, status, kind, time).",
  scope: "browser",
  effect: "read",
  needs: ["browser"],
  input: z.strictObject({
    kind: z.enum(["console", "network"]),
    after: z.number().int().min(0).optional().describe("`next` of an earlier call."),
    match: z.string().max(200).optional().describe("Only lines that hold this."),
    failed_only: z.boolean().optional(),
    tab,
  }),
  output: z.object({ page, lines: z.array(z.object({ n: z.number(), text: z.string() })), next: z.number() }),
  deadlineMs: DEADLINE_MS,
  async run({ failed_only: failedOnly, ...input }, { browser }, call) {
    const data = unwrap(await browser(call.principal).logs(given({ ...input, failedOnly })));
    const lines = data.lines.map(({ text }) => text);
    return { data, text: joined(pageText(data.page), ...(lines.length > 0 ? lines : ["[no lines]"])) };
  },
});
