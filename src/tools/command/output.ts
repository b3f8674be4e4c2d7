import { z } from "zod";
import { COMMAND_STATES, readCommand } from "../../sandbox/commands.ts";
import { defineTool } from "../tool.ts";
import { commandId } from "./fields.ts";

const CHUNK_BYTES = 16_000;
const MOST_WAIT_SECONDS = 45;

export const commandOutput = defineTool({
  name: "command_output",
  title: "Read a command's output",
  description:
    "Output (stdout and stderr together) of a command started with command_start, from a cursor on. With wait_seconds it waits for new output or the end.",
  scope: "exec",
  effect: "read",
  idempotent: true,
  needs: ["commands"],
  input: z.strictObject({
    command_id: commandId,
    cursor: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe("Where to go on: the cursor of the last answer. Default 0, the beginning."),
    wait_seconds: z
      .number()
      .min(0)
      .max(MOST_WAIT_SECONDS)
      .optional()
      .describe("How long to wait for something new. Default 0."),
  }),
  output: z.object({
    status: z.enum(COMMAND_STATES),
    exit_code: z.number().optional(),
    text: z.string(),
    cursor: z.number(),
    bytes: z.number(),
    more: z.boolean(),
  }),
  deadlineMs: (input) => (input.wait_seconds ?? 0) * 1000 + 15_000,
  async run(input, { commands }, { principal }) {
    const read = await readCommand(commands, principal, input.command_id, {
      offset: input.cursor ?? 0,
      count: CHUNK_BYTES,
      waitSeconds: Math.ceil(input.wait_seconds ?? 0),
    });
    const more = read.cursor < read.bytes;
    const next = more || read.state === "running" ? ` Go on with cursor ${read.cursor}.` : "";
    const code = read.exitCode === undefined ? "" : `, exit code ${read.exitCode}`;
    return {
      data: {
        status: read.state,
        ...(read.exitCode === undefined ? {} : { exit_code: read.exitCode }),
        text: read.text,
        cursor: read.cursor,
        bytes: read.bytes,
        more,
      },
      text: `${read.text}${read.text === "" || read.text.endsWith("\n") ? "" : "\n"}[${read.state}${code}.${next}]`,
    };
  },
});
