import type { z } from "zod";
import type { Question } from "../tools/ask.ts";
import { only, type ToolServices } from "../tools/services.ts";
import type { Block, Call } from "../tools/tool.ts";

export interface PromptMessage {
  role: "user" | "assistant";
  content: { type: "text"; text: string } | Block;
}

/** Values an argument may have that begin with what was typed; more than are shown may be given. */
export type Complete<Services> = (typed: string, services: Services, call: Call) => Promise<readonly string[]>;

/** A prompt is a value, as a tool is: something a person picks, with words for their model. */
export interface Prompt<
  Needs extends keyof ToolServices = keyof ToolServices,
  Input extends z.ZodObject = z.ZodObject,
> {
  name: string;
  title: string;
  description: string;
  /** The tools its words name: offered to whom has all of them. */
  uses: readonly string[];
  needs: readonly Needs[];
  /** Strings only: so the protocol has it. */
  input: Input;
  complete?: { [Name in keyof z.output<Input>]?: Complete<Pick<ToolServices, Needs>> };
  render: (
    input: z.output<Input>,
    services: Pick<ToolServices, Needs>,
    call: Call,
  ) => Promise<readonly PromptMessage[] | Question>;
}

type Rendered = (services: ToolServices, call: Call) => Promise<readonly PromptMessage[] | Question>;

/** Any prompt, as the registry holds it. */
export interface AnyPrompt extends Pick<Prompt, "name" | "title" | "description" | "uses" | "input"> {
  complete: Record<string, Complete<ToolServices>>;
  prepare: (input: unknown) => { ok: true; render: Rendered } | { ok: false; issues: readonly z.core.$ZodIssue[] };
}

/** Has the compiler check a prompt's parts against each other, and hides its types from the registry. */
export function definePrompt<Needs extends keyof ToolServices, Input extends z.ZodObject>(
  prompt: Prompt<Needs, Input>,
): AnyPrompt {
  const { name, title, description, uses, input, needs, complete = {}, render } = prompt;
  const completions = Object.entries<Complete<Pick<ToolServices, Needs>> | undefined>(complete);
  return {
    name,
    title,
    description,
    uses,
    input,
    complete: Object.fromEntries(
      completions.flatMap(([argument, of]) =>
        of ? [[argument, (typed: string, services, call) => of(typed, only(services, needs), call)]] : [],
      ),
    ),
    prepare(given) {
      const parsed = input.safeParse(given ?? {}, { reportInput: true });
      if (!parsed.success) return { ok: false, issues: parsed.error.issues };
      return { ok: true, render: (services, call) => render(parsed.data, only(services, needs), call) };
    },
  };
}
