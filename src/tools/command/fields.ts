import { z } from "zod";
import type { CommandRequest, Output } from "../../sandbox/commands.ts";

const MOST_COMMAND_CHARACTERS = 65_536;
const MOST_STDIN_CHARACTERS = 1_048_576;

export const commandId = z
  .string()
  .regex(/^c[0-9a-f]{24}$/, "must be an id that command_start gave")
  .describe("The id that command_start gave.");

export const commandFields = {
  command: z
    .string()
    .min(1, "must not be empty")
    .max(MOST_COMMAND_CHARACTERS, "is too long: write a script with file_write and run that")
    .refine((text) => !text.includes("\0"), "must not contain a NUL character")
    .describe("A bash command line."),
  cwd: z
    .string()
    .min(1)
    .max(4096)
    .refine((text) => !text.includes("\0"), "must not contain a NUL character")
    .optional()
    .describe("Directory to run it in. Default /workspace."),
  stdin: z
    .string()
    .max(MOST_STDIN_CHARACTERS, "is too long: write a file with file_write and redirect it")
    .optional()
    .describe("Text for its standard input. Default: none."),
};

export function commandRequest(
  input: { command: string; cwd?: string | undefined; stdin?: string | undefined },
  timeoutSeconds: number,
): CommandRequest {
  return {
    command: input.command,
    cwd: input.cwd ?? "/workspace",
    timeoutSeconds,
    ...(input.stdin === undefined ? {} : { stdin: input.stdin }),
  };
}

/** One of a command's two outputs for a model to read; empty when it printed nothing. */
export function outputText(name: string, output: Output): string {
  if (output.bytes === 0) return "";
  if (output.binary) {
    return `[${name} is not text: ${output.bytes} bytes, kept at ${output.path}; read it with file_read and encoding "base64"]`;
  }
  const note = output.truncated
    ? `\n[${name} cut: all ${output.bytes} bytes are at ${output.path}; read more with file_read]`
    : "";
  return (name === "stdout" ? "" : `[${name}]\n`) + output.text.trimEnd() + note;
}
