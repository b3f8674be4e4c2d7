import { z } from "zod";
import type { Output } from "../../sandbox/commands.ts";
import { fileLink } from "../link.ts";
import type { ToolAnswer } from "../tool.ts";
import { outputText } from "./fields.ts";

const outputSchema = z.object({
  text: z.string(),
  bytes: z.number(),
  truncated: z.boolean(),
  binary: z.boolean(),
  path: z.string(),
});

/** What command_run answers. */
export const runOutput = z.object({
  exit_code: z.number(),
  timed_out: z.boolean(),
  stdout: outputSchema,
  stderr: outputSchema,
  hint: z.string().optional(),
});

export type CommandRun = z.output<typeof runOutput>;

/** A command that has ended, for a model to read; what was cut is linked. */
export function runAnswer(run: {
  exitCode: number;
  timedOut: boolean;
  stdout: Output;
  stderr: Output;
  hint: string | undefined;
}): ToolAnswer<CommandRun> {
  const { exitCode, timedOut, stdout, stderr, hint } = run;
  const text = [
    outputText("stdout", stdout),
    outputText("stderr", stderr),
    exitCode === 0 ? "" : `[exit code ${exitCode}]`,
    hint ? `[${hint}]` : "",
  ];
  return {
    data: { exit_code: exitCode, timed_out: timedOut, stdout, stderr, ...(hint ? { hint } : {}) },
    text: text.filter((part) => part !== "").join("\n") || "[no output]",
    blocks: [stdout, stderr].flatMap(({ truncated, binary, path, bytes }) =>
      truncated || binary ? [fileLink(path, bytes)] : [],
    ),
    failed: exitCode !== 0,
  };
}
