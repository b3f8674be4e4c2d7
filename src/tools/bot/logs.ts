import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";

export const botLogs = defineTool({
  name: "bot_logs",
  title: "Log of the Moltbot",
  description:
    "The last lines of the gateway's log, without secrets; of its last run when it is asleep or has failed. Does not wake it.",
  scope: "control",
  effect: "read",
  idempotent: true,
  needs: ["bot"],
  input: z.strictObject({ lines: z.int().min(1).max(200).default(50).describe("How many.") }),
  output: z.object({ running: z.boolean(), lines: z.array(z.string()) }),
  deadlineMs: 15_000,
  async run({ lines }, { bot }) {
    const log = unwrap(await bot.gatewayLog(lines));
    const head = log.running ? "It runs now." : "It does not run now; this is the end of its last run.";
    const text = log.lines.length > 0 ? `${head}\n${log.lines.join("\n")}` : `${head} The log is empty.`;
    return { data: log, text };
  },
});
