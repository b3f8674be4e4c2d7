import {
  type GetPromptResult,
  type InputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import { deadline, raced } from "../core/deadline.ts";
import { Failure, toFailure } from "../core/failure.ts";
import { type McpContext, offered } from "./context.ts";
import { invalidInput } from "./input.ts";
import { observed } from "./observe.ts";
import { question, type ToolCall } from "./pipeline.ts";

const DEADLINE_MS = 30_000;

/** `prompts/get`. A prompt has no result that could say what went wrong, so failures are the protocol's. */
export async function getPrompt(context: McpContext, asked: ToolCall): Promise<GetPromptResult | InputRequiredResult> {
  const { name, input, resume, sign, ...call } = asked;
  return await asProtocolError(async () => {
    const prompt = offered(context).prompts.find((candidate) => candidate.name === name);
    if (!prompt) {
      throw new Failure("not_found", "There is no prompt of that name.", {
        hint: "prompts/list names those there are.",
      });
    }
    return await observed(context, `prompts/${prompt.name}`, input, async (note) => {
      const prepared = prompt.prepare(input);
      if (!prepared.ok) throw invalidInput(name, prompt.input, prepared.issues);
      const resumed = await resume();
      using limit = deadline(DEADLINE_MS, call.signal);
      const surroundings = { ...call, ...(resumed ? { resumed } : {}), signal: limit.signal };
      const rendered = await raced(prepared.render(context.services, surroundings), limit.signal);
      if ("ask" in rendered) {
        note("input_required");
        return await question(rendered, sign);
      }
      return { description: prompt.description, messages: [...rendered] };
    });
  });
}

/** Failures as JSON-RPC errors: what the caller can mend is "invalid params", the rest is the server's. */
export async function asProtocolError<T>(work: () => Promise<T>, data?: Record<string, unknown>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const { message, hint, status } = toFailure(error);
    const code = status < 500 ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
    throw new ProtocolError(code, hint ? `${message} ${hint}` : message, data);
  }
}
