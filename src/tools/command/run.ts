import { z } from "zod";
import { Failure } from "../../core/failure.ts";
import { type CommandResult, runCommand, startCommand } from "../../sandbox/commands.ts";
import { defineTool } from "../tool.ts";
import { runAnswer, runOutput } from "./answer.ts";
import { commandFields, commandRequest } from "./fields.ts";
import { commandTasks, working } from "./task.ts";

const DEFAULT_TIMEOUT_SECONDS = 30;
const MOST_TIMEOUT_SECONDS = 45;
/** For a client that follows it as a task. */
const MOST_TASK_SECONDS = 86_400;
/** Time for the kill and the way back, beyond the command's own. */
const MARGIN_MS = 15_000;

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
      .max(MOST_TASK_SECONDS)
      .optional()
      .describe(
        `When to kill it. Default ${DEFAULT_TIMEOUT_SECONDS}, at most ${MOST_TIMEOUT_SECONDS}; more only for clients that follow tasks.`,
      ),
  }),
  output: runOutput,
  tasks: commandTasks,
  deadlineMs: ({ timeout_seconds: seconds = DEFAULT_TIMEOUT_SECONDS }) =>
    Math.min(seconds, MOST_TIMEOUT_SECONDS) * 1000 + MARGIN_MS,
  async run(input, { commands }, call) {
    const seconds = Math.ceil(input.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS);
    if (seconds > MOST_TIMEOUT_SECONDS) {
      if (!call.canTask) throw tooLong();
      const id = await startCommand(commands, call.principal, commandRequest(input, seconds));
      return { task: working(id, new Date()) };
    }
    const result = await runCommand(commands, commandRequest(input, seconds), call);
    const { exitCode, stdout, stderr } = result;
    return runAnswer({ exitCode, timedOut: result.outcome !== "done", stdout, stderr, hint: hintFor(result, seconds) });
  },
});

function tooLong(): Failure {
  return new Failure(
    "invalid_input",
    `command_run: timeout_seconds must be at most ${MOST_TIMEOUT_SECONDS}: use command_start for longer work.`,
  );
}

function hintFor(result: CommandResult, seconds: number): string | undefined {
  if (result.outcome === "timeout")
    return `Killed after ${seconds} s with everything it had started. For longer work use command_start.`;
  if (result.exitCode === 127) return "A command was not found: check its name, or install it first.";
  if (result.exitCode === 126)
    return "A file is there but cannot be executed: check its mode, or run it with its interpreter.";
  return undefined;
}
