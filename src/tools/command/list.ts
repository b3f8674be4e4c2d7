import { z } from "zod";
import { listCommands } from "../../sandbox/commands.ts";
import { defineTool } from "../tool.ts";

const MOST_SHOWN = 50;

export const commandList = defineTool({
  name: "command_list",
  title: "List commands",
  description: "Commands you started with command_start, the newest first, with their status.",
  scope: "exec",
  effect: "read",
  idempotent: true,
  needs: ["commands"],
  input: z.strictObject({}),
  output: z.object({
    commands: z.array(
      z.object({
        command_id: z.string(),
        status: z.string(),
        exit_code: z.number().optional(),
        bytes: z.number(),
        started_at: z.string(),
        command: z.string(),
      }),
    ),
  }),
  deadlineMs: 30_000,
  async run(_input, { commands }, { principal }) {
    const shown = (await listCommands(commands, principal)).slice(0, MOST_SHOWN);
    const lines = shown.map(
      (entry) => `${entry.id}  ${entry.state}  ${entry.startedAt.toISOString()}  ${entry.command}`,
    );
    return {
      data: {
        commands: shown.map(({ id, state, exitCode, bytes, startedAt, command }) => ({
          command_id: id,
          status: state,
          ...(exitCode === undefined ? {} : { exit_code: exitCode }),
          bytes,
          started_at: startedAt.toISOString(),
          command,
        })),
      },
      text: lines.join("\n") || "No command was started yet.",
    };
  },
});
