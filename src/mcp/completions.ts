import type { CompleteRequest, CompleteResult } from "@modelcontextprotocol/server";
import { deadline, raced } from "../core/deadline.ts";
import type { Call } from "../tools/tool.ts";
import { type McpContext, offered } from "./context.ts";
import { asProtocolError } from "./prompts.ts";

/** The protocol's own limit. */
const MOST_VALUES = 100;
/** Nobody waits longer for a suggestion. */
const DEADLINE_MS = 5_000;

/** `completion/complete`: known values of an argument that begin with what was typed. Unknown arguments have none. */
export async function complete(
  context: McpContext,
  { ref, argument }: CompleteRequest["params"],
  call: Call,
): Promise<CompleteResult> {
  const { prompts, resources } = offered(context);
  const of =
    ref.type === "ref/prompt"
      ? prompts.find(({ name }) => name === ref.name)
      : resources.find(({ uri }) => uri === ref.uri);
  const values = of && Object.hasOwn(of.complete, argument.name) ? of.complete[argument.name] : undefined;
  if (!values) return { completion: { values: [], total: 0, hasMore: false } };
  const typed = argument.value;
  const known = await asProtocolError(async () => {
    using limit = deadline(DEADLINE_MS, call.signal);
    return await raced(values(typed, context.services, { ...call, signal: limit.signal }), limit.signal);
  });
  const fitting = known.filter((value) => value.toLowerCase().startsWith(typed.toLowerCase()));
  return {
    completion: {
      values: fitting.slice(0, MOST_VALUES),
      total: fitting.length,
      hasMore: fitting.length > MOST_VALUES,
    },
  };
}
