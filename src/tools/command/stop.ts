import { z } from "zod";
import { COMMAND_STATES, stopCommand } from "../../sandbox/commands.ts";
import { defineTool } from "../tool.ts";
import { commandId } from "./fields.ts";

export const commandStop = defineTool({
  name: "command_stop",
  title: "Stop a command",
  description: "Kills a command started with command_start, with every process it started. Its output stays readable.",
  scope: "exec",
  effect: "destructive",
  idempotent: true,
  needs: ["commands"],
  input: z.strictObject({ command_id: commandId }),
  output: z.object({ status: z.enum([...COMMAND_STATES, "stuck"]) }),
  deadlineMs: 30_000,
  async run(input, { commands }, { principal }) {
    const status = await stopCommand(commands, principal, input.command_id);
    const text = status === "stopped" ? "Stopped." : `Nothing to stop: its status is ${status}.`;
    return {
      data: { status },
      text: status === "stuck" ? "Some of its processes could not be killed." : text,
      failed: status === "stuck",
    };
  },
});
