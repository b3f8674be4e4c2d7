import { z } from "zod";
import { startCommand } from "../../sandbox/commands.ts";
import { defineTool } from "../tool.ts";
import { commandFields, commandRequest } from "./fields.ts";

const MOST_TIMEOUT_SECONDS = 86_400;

export const commandStart = defineTool({
  name: "command_start",
  title: "Start a long command",
  description:
    "Starts a bash command that goes on after this call, such as a build or a server. Follow it with command_output, end it with command_stop. It also ends when the sandbox goes to sleep, by default 10 minutes after the last call.",
  scope: "exec",
  effect: "destructive",
  openWorld: true,
  needs: ["commands"],
  input: z.strictObject({
    ...commandFields,
    timeout_seconds: z
      .number()
      .int()
      .min(1)
      .max(MOST_TIMEOUT_SECONDS)
      .optional()
      .describe("When to kill it. Default: never."),
  }),
  output: z.object({ command_id: z.string() }),
  deadlineMs: 30_000,
  async run(input, { commands }, { principal }) {
    const id = await startCommand(commands, principal, commandRequest(input, input.timeout_seconds ?? 0));
    return { data: { command_id: id }, text: `Started as ${id}. Its output: command_output {"command_id": "${id}"}.` };
  },
});
