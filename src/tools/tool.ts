import type { z } from "zod";
import type { Scope } from "../core/scope.ts";
import type { Question, Resumed } from "./ask.ts";
import { only, type ToolServices } from "./services.ts";
import type { Tasks, TaskState } from "./task.ts";

/** What a tool does to the world; annotations, docs and the read-only mode are derived from it. */
export type Effect = "read" | "write" | "destructive";

/** What a result may hold beside its text, in the protocol's own words. */
export type Block =
  /** Base64. */
  | { type: "image" | "audio"; data: string; mimeType: string }
  /** Something long that can be read on its own: see resources. */
  | { type: "resource_link"; uri: string; name: string; title?: string; mimeType?: string; size?: number }
  | { type: "resource"; resource: { uri: string; mimeType?: string; text: string } };

export interface ToolAnswer<Output> {
  /** The structured result. */
  data: Output;
  /** The same for a model to read; short, with what to do next. */
  text: string;
  blocks?: readonly Block[];
  /** The call worked but what it ran did not: shown as an error, with all its data. */
  failed?: boolean;
}

/** A call's three ways to end well: with its answer, with a question to the person, or as work that goes on. */
export type Outcome<Output> = ToolAnswer<Output> | Question | { task: TaskState<Output> };

/** One call's surroundings. */
export interface Call {
  /** Opaque id of the person on whose behalf the client calls. */
  principal: string;
  /** The program that calls, as the OAuth provider registered it. */
  client: string;
  /** Names this request among those of the same person and client. */
  caller: string;
  /** What the person let this client do. */
  scopes: readonly string[];
  /** Fires when the client cancels or goes away, and at the tool's deadline. */
  signal: AbortSignal;
  /** Shown by the client while the call runs; a client that asked for none gets none. `done` is how many steps of `total`. */
  progress: (message: string, steps?: { done: number; total: number }) => Promise<void>;
  /** The client can put a form before its person: the tool may answer with a Question. */
  canAsk: boolean;
  /** The client follows tasks: a tool with `tasks` may answer with one. */
  canTask: boolean;
  /** There when the client has come back from a Question. */
  resumed?: Resumed;
}

/** What some values of one argument need beside the tool's own scope. */
export interface MoreScopes {
  argument: string;
  of: Readonly<Record<string, Scope>>;
}

/** A tool is a value: the pipeline, the docs, scopes and annotations are all made from it. */
export interface Tool<
  Needs extends keyof ToolServices = keyof ToolServices,
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  /** `<toolset>_<verb>`. */
  name: string;
  title: string;
  description: string;
  scope: Scope;
  moreScopes?: MoreScopes;
  effect: Effect;
  /** It may reach beyond the bot's own sandbox: what it runs has the internet. */
  openWorld?: boolean;
  /** Calling it twice with the same arguments changes nothing more. */
  idempotent?: boolean;
  /** The services it is given; it gets no others. */
  needs: readonly Needs[];
  input: Input;
  output: Output;
  /** Longest a call may take. Milliseconds; or a function of the input. */
  deadlineMs: number | ((input: z.output<Input>) => number);
  run: (input: z.output<Input>, services: Pick<ToolServices, Needs>, call: Call) => Promise<Outcome<z.output<Output>>>;
  tasks?: Tasks<Pick<ToolServices, Needs>, z.output<Output>>;
}

type Data = Record<string, unknown>;

/** A call whose arguments have been taken. */
export interface Prepared {
  deadlineMs: number;
  run: (services: ToolServices, call: Call) => Promise<Outcome<Data>>;
}

/** Any tool, as the registry and the pipeline hold it. */
export interface AnyTool extends Omit<Tool, "run" | "deadlineMs" | "tasks"> {
  /** Takes the arguments, or says what is wrong with them. */
  prepare: (input: unknown) => { ok: true; prepared: Prepared } | { ok: false; issues: readonly z.core.$ZodIssue[] };
  tasks?: Tasks<ToolServices, Data>;
}

/** All scopes that a call with these arguments needs; they need not have been checked yet. */
export function scopesFor({ scope, moreScopes }: Pick<AnyTool, "scope" | "moreScopes">, input: unknown): Scope[] {
  if (!moreScopes || typeof input !== "object" || input === null) return [scope];
  const value: unknown = Object.entries(input).find(([name]) => name === moreScopes.argument)?.[1];
  const more = Object.entries(moreScopes.of).find(([name]) => name === value)?.[1];
  return more === undefined ? [scope] : [scope, more];
}

/** Has the compiler check a tool's parts against each other, and hides its types from the registry. */
export function defineTool<Needs extends keyof ToolServices, Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Tool<Needs, Input, Output>,
): AnyTool {
  const { run, deadlineMs, tasks, ...facts } = tool;
  const needed = (services: ToolServices) => only(services, tool.needs);
  return {
    ...facts,
    prepare(given) {
      // The input is reported only to tell a missing argument from a wrong one.
      const parsed = tool.input.safeParse(given ?? {}, { reportInput: true });
      if (!parsed.success) return { ok: false, issues: parsed.error.issues };
      const input = parsed.data;
      const prepared = {
        deadlineMs: typeof deadlineMs === "number" ? deadlineMs : deadlineMs(input),
        run: (services: ToolServices, call: Call) => run(input, needed(services), call),
      };
      return { ok: true, prepared };
    },
    ...(tasks ? { tasks: narrowed(tasks, needed) } : {}),
  };
}

function narrowed<Given, Output>(
  tasks: Tasks<Given, Output>,
  needed: (services: ToolServices) => Given,
): Tasks<ToolServices, Output> {
  const { pattern, get, cancel, update } = tasks;
  return {
    pattern,
    get: (id, services, call) => get(id, needed(services), call),
    cancel: (id, services, call) => cancel(id, needed(services), call),
    ...(update ? { update: (id, answers, services, call) => update(id, answers, needed(services), call) } : {}),
  };
}
