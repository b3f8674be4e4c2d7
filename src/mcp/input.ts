import { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { AnyTool } from "../tools/tool.ts";

const MOST_PROBLEMS = 3;

/** Arguments as the tool's schema has them, or one short failure naming what is wrong. Values are not repeated. */
export function parseInput(tool: AnyTool, input: unknown): Record<string, unknown> {
  // The input is reported only to tell a missing argument from a wrong one.
  const parsed = tool.input.safeParse(input ?? {}, { reportInput: true });
  // What the tool is given is parsed again by its own type; here it is only checked.
  if (parsed.success) return z.record(z.string(), z.unknown()).parse(input ?? {});
  const problems = parsed.error.issues.slice(0, MOST_PROBLEMS).map(describe);
  const known = Object.keys(tool.input.shape).join(", ");
  throw new Failure("invalid_input", `${tool.name}: ${problems.join("; ")}.`, {
    hint: known === "" ? "It takes no arguments." : `Its arguments are: ${known}.`,
  });
}

function describe(issue: z.core.$ZodIssue): string {
  const name = issue.path.map(String).join(".") || "the arguments";
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown argument ${issue.keys.join(", ")}`;
    case "invalid_type":
      return issue.input === undefined ? `${name} is missing` : `${name} must be ${issue.expected}`;
    case "invalid_value":
      return `${name} must be one of ${issue.values.map(String).join(", ")}`;
    case "too_big":
      return `${name} ${own(issue.message) ?? `must be at most ${issue.maximum}`}`;
    case "too_small":
      return `${name} ${own(issue.message) ?? `must be at least ${issue.minimum}`}`;
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return `${name} ${own(issue.message) ?? "is not valid"}`;
  }
}

/** Messages written for this project are verb phrases; the library's own begin with a capital letter. */
function own(message: string): string | undefined {
  return /^[a-z]/.test(message) ? message : undefined;
}
