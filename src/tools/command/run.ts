import { z } from "zod";
import { type CommandResult, runCommand } from "../../sandbox/commands.ts";
import { defineTool } from "../tool.ts";
import { commandFields, commandRequest, outputText } from "./fields.ts";

const DEFAULT_TIMEOUT_SECONDS = 30;
const MOST_TIMEOUT_SECONDS = 45;
/** Time for the kill and the way back, beyond the command's own. */
const MARGIN_MS = 15_000;

const outputSchema = z.object({
  text: z.string(),
  bytes: z.number(),
  truncated: z.boolean(),
  binary: z.boolean(),
  path: z.string(),
});

export const commandRun = defineTool({
  name: "command_run",
  title: "Run a command",
  description:
    "Runs a bash command in the Moltbot's sandbox and waits for it. Calls run side by side. At the timeout its whole process tree is killed; for longer work use command_start.",
  scope: "exec",
  effect: "destructive",
  openWorld: true,
  needs: ["commands"],
  input: z.strictObject({
    ...commandFields,
    timeout_seconds: z
      .number()
      .min(1)
      .max(MOST_TIMEOUT_SECONDS, `must be at most ${MOST_TIMEOUT_SECONDS}: use command_start for longer work`)
      .optional()
      .describe(`When to kill it. Default ${DEFAULT_TIMEOUT_SECONDS}, at most ${MOST_TIMEOUT_SECONDS}.`),
  }),
  output: z.object({
    exit_code: z.number(),
    timed_out: z.boolean(),
    stdout: outputSchema,
    stderr: outputSchema,
    hint: z.string().optional(),
  }),
  deadlineMs: (input) => (input.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000 + MARGIN_MS,
  async run(input, { commands }, call) {
    const seconds = Math.ceil(input.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS);
    const result = await runCommand(commands, commandRequest(input, seconds), call);
    const hint = hintFor(result, seconds);
    const text = [
      outputText("stdout", result.stdout),
      outputText("stderr", result.stderr),
      result.exitCode === 0 ? "" : `[exit code ${result.exitCode}]`,
      hint ? `[${hint}]` : "",
    ];
    return {
      data: {
        exit_code: result.exitCode,
        timed_out: result.outcome !== "done",
        stdout: result.stdout,
        stderr: result.stderr,
        ...(hint ? { hint } : {}),
      },
      text: text.filter((part) => part !== "").join("\n") || "[no output]",
      failed: result.exitCode !== 0,
    };
  },
});

function hintFor(result: CommandResult, seconds: number): string | undefined {
  if (result.outcome === "timeout")
    return `Killed after ${seconds} s with everything it had started. For longer work use command_start.`;
  if (result.outcome === "stuck")
    return `Not done after ${seconds} s, and some of its processes could not be killed. bot_status shows the sandbox.`;
  if (result.exitCode === 127) return "A command was not found: check its name, or install it first.";
  if (result.exitCode === 126)
    return "A file is there but cannot be executed: check its mode, or run it with its interpreter.";
  return undefined;
}
