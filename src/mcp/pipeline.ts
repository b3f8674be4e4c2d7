import type { CallToolResult } from "@modelcontextprotocol/server";
import type { Grant } from "../auth/principal.ts";
import { deadline, raced } from "../core/deadline.ts";
import { argumentsDigest } from "../core/digest.ts";
import { Failure, toFailure } from "../core/failure.ts";
import type { Journal } from "../core/journal.ts";
import { log } from "../core/log.ts";
import type { ToolServices } from "../tools/services.ts";
import type { AnyTool } from "../tools/tool.ts";
import { isGranted } from "./describe.ts";
import { parseInput } from "./input.ts";
import { renderAnswer, renderFailure } from "./render.ts";

export interface ToolCall {
  name: string;
  input: unknown;
  /** As the client numbers it. */
  requestId: string | number;
  signal: AbortSignal;
  progress(message: string): Promise<void>;
  journal: Journal;
}

/** One request of one client of one person. */
export function callerKey(caller: Grant, requestId: string | number): string {
  return `${caller.principal.id}:${caller.clientId}:${requestId}`;
}

/** The one way in for every tool: scope, input, deadline, run, render, log, journal. Never throws. */
export async function callTool(
  tools: readonly AnyTool[],
  services: ToolServices,
  caller: Grant,
  call: ToolCall,
): Promise<CallToolResult> {
  const started = Date.now();
  let outcome = "ok";
  let cause: unknown;
  // Made while the tool runs; the journal is not worth a wait.
  const digest = argumentsDigest(call.input).catch(() => "unknown");
  try {
    const tool = tools.find((candidate) => candidate.name === call.name);
    if (!tool) {
      throw new Failure("not_found", "There is no tool of that name.", { hint: "tools/list names those you may use." });
    }
    if (!isGranted(tool.scope, caller.scopes)) {
      throw new Failure(
        "forbidden",
        `${tool.name} needs the permission "${tool.scope}", which this client was not given.`,
        {
          hint: "Connect again and tick it on the consent page.",
        },
      );
    }
    const input = parseInput(tool, call.input);
    using limit = deadline(tool.deadlineFor(input), call.signal);
    const running = tool.execute(input, services, {
      principal: caller.principal.id,
      caller: callerKey(caller, call.requestId),
      signal: limit.signal,
      progress: (message) => call.progress(message),
    });
    const answer = await raced(running, limit.signal);
    if (answer.failed) outcome = "failed";
    return renderAnswer(answer);
  } catch (error) {
    const failure = call.signal.aborted
      ? new Failure("cancelled", "The call was cancelled.", { cause: error })
      : toFailure(error);
    outcome = failure.code;
    cause = failure.cause;
    return renderFailure(failure);
  } finally {
    log(outcome === "internal" ? "error" : "info", "tool.call", {
      tool: call.name.slice(0, 64),
      who: caller.principal.id,
      client: caller.clientId,
      outcome,
      ms: Date.now() - started,
      ...(cause === undefined ? {} : { cause }),
    });
    call.journal({
      kind: "call",
      at: started,
      principal: caller.principal.id,
      client: caller.clientId,
      // A name that is no tool's may be anything, even a secret in the wrong place.
      action: tools.some(({ name }) => name === call.name) ? call.name : "unknown",
      digest: await digest,
      outcome,
      ms: Date.now() - started,
    });
  }
}
