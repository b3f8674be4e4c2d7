import {
  type CallToolResult,
  type InputRequests,
  type InputRequiredResult,
  MissingRequiredClientCapabilityError,
} from "@modelcontextprotocol/server";
import { deadline, raced } from "../core/deadline.ts";
import { Failure, toFailure } from "../core/failure.ts";
import type { Scope } from "../core/scope.ts";
import type { Question, Resumed } from "../tools/ask.ts";
import { type AnyTool, type Call, type Outcome, scopesFor } from "../tools/tool.ts";
import { type McpContext, offered } from "./context.ts";
import { takeInput } from "./input.ts";
import { observed } from "./observe.ts";
import { renderAnswer, renderFailure, renderTask } from "./render.ts";

/** A tool's call as the protocol brings it. */
export interface ToolCall extends Omit<Call, "resumed"> {
  name: string;
  input: unknown;
  /** What the client has come back with, if this is not the first time it calls; fails when that is not genuine. */
  resume: () => Promise<Resumed | undefined>;
  /** The state of a question, for the client to carry. */
  sign: (state: unknown) => Promise<string>;
}

/** The extension by which clients follow work beyond its call. */
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** The one way in for every tool: scope, input, deadline, run, render, log, journal. Fails only as the protocol has it. */
export async function callTool(context: McpContext, call: ToolCall): Promise<CallToolResult | InputRequiredResult> {
  let outcome: Outcome<Record<string, unknown>>;
  try {
    outcome = await observed(context, actionOf(context, call.name), call.input, async (note) => {
      const ended = await ran(context, call).catch((error: unknown) => {
        throw call.signal.aborted ? new Failure("cancelled", "The call was cancelled.", { cause: error }) : error;
      });
      if ("ask" in ended) note("input_required");
      else if ("task" in ended) note("task");
      else if (ended.failed) note("failed");
      return ended;
    });
  } catch (error) {
    return renderFailure(toFailure(error));
  }
  if ("ask" in outcome) return await question(outcome, call.sign);
  if (!("task" in outcome)) return renderAnswer(outcome);
  if (!call.canTask) throw tasksNeeded();
  return renderTask(outcome.task);
}

/** A name that is no tool's may be anything, even a secret in the wrong place. */
function actionOf({ catalog }: McpContext, name: string): string {
  return catalog.tools.some((tool) => tool.name === name) ? name : "unknown";
}

async function ran(context: McpContext, asked: ToolCall): Promise<Outcome<Record<string, unknown>>> {
  const { name, input, resume, sign: _, ...call } = asked;
  const tool = toolNamed(context, name);
  const prepared = takeInput(tool, input);
  const lacking = scopesFor(tool, input).find((scope) => !call.scopes.includes(scope));
  if (lacking !== undefined) throw notGranted({ name, scope: lacking });
  const resumed = await resume();
  call.signal.throwIfAborted();
  using limit = deadline(prepared.deadlineMs, call.signal);
  const running = prepared.run(context.services, { ...call, ...(resumed ? { resumed } : {}), signal: limit.signal });
  // What a client that has gone leaves running is still tidied up: without this the runtime ends it with the connection.
  context.waitUntil(running.then(ignored, ignored));
  return await raced(running, limit.signal);
}

function ignored(): void {}

/** A question on the wire. The protocol library refuses it when the client has not said that it can be asked so. */
export async function question({ ask, state }: Question, sign: ToolCall["sign"]): Promise<InputRequiredResult> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the protocol library.
  const inputRequests = ask as InputRequests;
  return { resultType: "input_required", inputRequests, requestState: await sign(state) };
}

/** What the protocol has for a client that does not say it follows tasks. */
export function tasksNeeded(): MissingRequiredClientCapabilityError {
  return new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } });
}

function toolNamed(context: McpContext, name: string): AnyTool {
  const tool = offered(context).tools.find((candidate) => candidate.name === name);
  if (tool) return tool;
  const known = context.catalog.tools.find((candidate) => candidate.name === name);
  if (!known) {
    throw new Failure("not_found", "There is no tool of that name.", { hint: "tools/list names those you may use." });
  }
  if (!context.caller.scopes.includes(known.scope)) throw notGranted(known);
  throw new Failure("forbidden", `${name} is not offered at the address this client uses.`, {
    hint: "The address or a header asks for some toolsets only, or for read-only tools; tools/list names those there are.",
  });
}

/** The failure of whoever calls what their person did not allow. */
export function notGranted({ name, scope }: { name: string; scope: Scope }): Failure {
  return new Failure("forbidden", `${name} needs the permission "${scope}", which this client was not given.`, {
    hint: "Connect again and tick it on the consent page.",
  });
}
