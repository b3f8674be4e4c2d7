import { z } from "zod";
import type { ModelTarget } from "../../config/providers.ts";
import type { Tokens } from "../../usage/access.ts";

/**
 * What one event of a stream says about it: it goes on, with nothing for the user in it; a piece of an answer, which
 * from here on cannot come from anybody else; the answer is complete; it failed.
 */
export type Sign = "alive" | "content" | "end" | "error";

interface Api {
  /** What the gateway asks for, and what is added to a provider's base. */
  path: string;
  /** Asked by this path too, answered in one piece. */
  also: readonly string[];
  /** Headers of the API's own, and which of the gateway's take their place. */
  headers: Record<string, string>;
  passedOn: readonly string[];
  sign(event: Record<string, unknown>): Sign;
  /** What an event, or an answer in one piece, says about usage. Later ones complete earlier ones. */
  usage(event: Record<string, unknown>): Partial<Tokens> | undefined;
  /** An error as the API puts it, in one piece and within a stream. */
  error(message: string): Record<string, unknown>;
  errorEvent(message: string): string;
}

const text = z.string().min(1);
const count = z.number().nonnegative();

const anthropicUsage = z.object({
  input_tokens: count.optional(),
  cache_creation_input_tokens: count.nullish(),
  cache_read_input_tokens: count.nullish(),
  output_tokens: count.optional(),
});
const anthropicEvent = z.object({
  type: z.string(),
  usage: anthropicUsage.optional(),
  message: z.object({ usage: anthropicUsage.optional() }).optional(),
});

const completion = z.object({
  error: z.unknown().optional(),
  choices: z
    .array(z.object({ delta: z.record(z.string(), z.unknown()).nullish(), finish_reason: z.unknown().optional() }))
    .optional(),
  usage: z
    .object({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
    })
    .nullish(),
});

const responsesUsage = z.object({
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
});
const responsesEvent = z.object({
  type: z.string().optional(),
  usage: responsesUsage.nullish(),
  response: z.object({ usage: responsesUsage.nullish() }).optional(),
});

/** The three APIs, as far as the bridge has to understand them. */
export const APIS: Record<ModelTarget["api"], Api> = {
  "anthropic-messages": {
    path: "/v1/messages",
    also: ["/v1/messages/count_tokens"],
    headers: { "anthropic-version": "2023-06-01" },
    passedOn: ["anthropic-version", "anthropic-beta"],
    sign(event) {
      switch (anthropicEvent.safeParse(event).data?.type) {
        case "content_block_delta":
        case "message_delta":
          return "content";
        case "message_stop":
          return "end";
        case "message_start":
        case "content_block_start":
        case "content_block_stop":
        case "ping":
          return "alive";
        case "error":
        case undefined:
          return "error";
      }
      // Kinds of events that are to come are no reason to give an answer up.
      return "alive";
    },
    usage(event) {
      const parsed = anthropicEvent.safeParse(event).data;
      const usage = parsed?.usage ?? parsed?.message?.usage;
      if (!usage) return undefined;
      const cached = usage.cache_read_input_tokens ?? 0;
      const read = usage.input_tokens;
      return {
        ...(read === undefined ? {} : { input: read + cached + (usage.cache_creation_input_tokens ?? 0), cached }),
        ...(usage.output_tokens === undefined ? {} : { output: usage.output_tokens }),
      };
    },
    error: (message) => ({ type: "error", error: { type: "invalid_request_error", message } }),
    errorEvent: (message) =>
      `event: error\ndata: ${JSON.stringify({ type: "error", error: { type: "api_error", message } })}\n\n`,
  },
  "openai-completions": {
    path: "/chat/completions",
    also: [],
    headers: {},
    passedOn: [],
    sign(event) {
      const parsed = completion.safeParse(event).data;
      if (!parsed || (parsed.error !== undefined && parsed.error !== null)) return "error";
      // Not every provider sends [DONE] after it.
      if (parsed.choices?.some(({ finish_reason }) => typeof finish_reason === "string")) return "end";
      const said = parsed.choices?.some(({ delta }) =>
        Object.entries(delta ?? {}).some(
          ([name, value]) =>
            name !== "role" && (Array.isArray(value) ? value.length > 0 : text.safeParse(value).success),
        ),
      );
      return said ? "content" : "alive";
    },
    usage(event) {
      const usage = completion.safeParse(event).data?.usage;
      if (!usage) return undefined;
      const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
      return { input: usage.prompt_tokens, cached, output: usage.completion_tokens };
    },
    error: (message) => ({ error: { message, type: "invalid_request_error", param: null, code: null } }),
    errorEvent: (message) => `data: ${JSON.stringify({ error: { message, type: "server_error" } })}\n\n`,
  },
  "openai-responses": {
    path: "/responses",
    also: [],
    headers: {},
    passedOn: [],
    sign(event) {
      const type = responsesEvent.safeParse(event).data?.type;
      if (type === undefined || type === "error" || type === "response.failed") return "error";
      if (type === "response.completed" || type === "response.incomplete") return "end";
      return type.endsWith(".delta") ? "content" : "alive";
    },
    usage(event) {
      const parsed = responsesEvent.safeParse(event).data;
      const usage = parsed?.response?.usage ?? parsed?.usage;
      if (!usage) return undefined;
      const cached = usage.input_tokens_details?.cached_tokens ?? 0;
      return { input: usage.input_tokens, cached, output: usage.output_tokens };
    },
    error: (message) => ({ error: { message, type: "invalid_request_error", param: null, code: null } }),
    errorEvent: (message) =>
      `event: error\ndata: ${JSON.stringify({ type: "error", code: "server_error", message, param: null })}\n\n`,
  },
};

/** What ends a stream of chat completions, beside the event that says why; the other two APIs have only an event. */
export const DONE = "[DONE]";
