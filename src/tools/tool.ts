import type { z } from "zod";
import type { Scope } from "../core/scope.ts";
import type { ToolServices } from "./services.ts";

/** What a tool does to the world; annotations and docs are derived from it. */
export type Effect = "read" | "write" | "destructive";

export interface ImageBlock {
  /** Base64. */
  data: string;
  mimeType: string;
}

export interface ToolAnswer<Output> {
  /** The structured result. */
  data: Output;
  /** The same for a model to read; short, with what to do next. */
  text: string;
  images?: readonly ImageBlock[];
  /** The call worked but what it ran did not: shown as an error, with all its data. */
  failed?: boolean;
}

/** One call's surroundings. */
export interface Call {
  /** Opaque id of the person on whose behalf the client calls. */
  principal: string;
  /** Names this request among those of the same person and client. */
  caller: string;
  /** Fires when the client cancels or goes away, and at the tool's deadline. */
  signal: AbortSignal;
  /** Shown by the client while the call runs; a client that asked for none gets none. */
  progress: (message: string) => Promise<void>;
}

/** A tool is a value: the pipeline, the docs, scopes and annotations are all made from it. */
export interface Tool<
  Needs extends keyof ToolServices = keyof ToolServices,
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  name: string;
  title: string;
  description: string;
  scope: Scope;
  effect: Effect;
  /** It may reach beyond the bot's own sandbox: what it runs has the internet. */
  openWorld?: boolean;
  /** Calling it twice with the same arguments changes nothing more. */
  idempotent?: boolean;
  needs: readonly Needs[];
  input: Input;
  output: Output;
  /** Longest a call may take. Milliseconds; or a function of the input. */
  deadlineMs: number | ((input: z.output<Input>) => number);
  run: (
    input: z.output<Input>,
    services: Pick<ToolServices, Needs>,
    call: Call,
  ) => Promise<ToolAnswer<z.output<Output>>>;
}

/** Any tool, as the registry and the pipeline hold it: what goes in was parsed by its own schema. */
export interface AnyTool extends Omit<Tool, "run" | "deadlineMs"> {
  deadlineFor: (input: Record<string, unknown>) => number;
  execute: (
    input: Record<string, unknown>,
    services: ToolServices,
    call: Call,
  ) => Promise<ToolAnswer<Record<string, unknown>>>;
}

/** Has the compiler check a tool's parts against each other, and hides its types from the registry. */
export function defineTool<Needs extends keyof ToolServices, Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Tool<Needs, Input, Output>,
): AnyTool {
  const { run, deadlineMs, ...facts } = tool;
  return {
    ...facts,
    deadlineFor: (input) => (typeof deadlineMs === "number" ? deadlineMs : deadlineMs(tool.input.parse(input))),
    execute: (input, services, call) => run(tool.input.parse(input), services, call),
  };
}
