import type { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { AnyTool, Prepared } from "../tools/tool.ts";

const MOST_PROBLEMS = 3;

/** Takes a tool's arguments, or fails with one short sentence that names what is wrong. Values are not repeated. */
export function takeInput(tool: AnyTool, input: unknown): Prepared {
  const taken = tool.prepare(input);
  if (taken.ok) return taken.prepared;
  throw invalidInput(tool.name, tool.input, taken.issues);
}

/** The failure for arguments that do not fit. */
export function invalidInput(name: string, schema: z.ZodObject, issues: readonly z.core.$ZodIssue[]): Failure {
  const problems = issues.slice(0, MOST_PROBLEMS).map(describe);
  const known = Object.keys(schema.shape).join(", ");
  return new Failure("invalid_input", `${name}: ${problems.join("; ")}.`, {
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
