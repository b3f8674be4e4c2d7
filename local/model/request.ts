import { z } from "zod";

/** What of a Messages API request this stand-in looks at; everything else passes unread, as a model would let it. */
const block = z.looseObject({ type: z.string() });
const blocksOrText = z.union([z.string(), z.array(block)]);

export const messagesRequest = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().positive(),
  stream: z.boolean().optional(),
  system: blocksOrText.optional(),
  tools: z
    .array(
      z.looseObject({
        name: z.string(),
        input_schema: z
          .looseObject({
            properties: z.record(z.string(), z.unknown()).optional(),
            required: z.array(z.string()).optional(),
          })
          .optional(),
      }),
    )
    .optional(),
  messages: z.array(z.object({ role: z.enum(["user", "assistant", "system"]), content: blocksOrText })).min(1),
});
export type MessagesRequest = z.infer<typeof messagesRequest>;

/** Counting takes the same body without the limit on the answer. */
export const countRequest = messagesRequest.omit({ max_tokens: true });

export interface ToolResult {
  text: string;
  failed: boolean;
}

/** The user's last message as they typed it, and what the tools called since then have answered. */
export interface Turn {
  text: string;
  images: number;
  results: ToolResult[];
}

const textBlock = z.looseObject({ type: z.literal("text"), text: z.string() });
const resultBlock = z.looseObject({
  type: z.literal("tool_result"),
  content: blocksOrText.optional(),
  is_error: z.boolean().optional(),
});

export function lastTurn(request: MessagesRequest): Turn {
  const results: ToolResult[] = [];
  for (const { role, content } of request.messages.toReversed()) {
    if (role !== "user") continue;
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    const answered = blocks.flatMap((one) => {
      const result = resultBlock.safeParse(one);
      if (!result.success) return [];
      return [{ text: plainText(result.data.content ?? ""), failed: result.data.is_error === true }];
    });
    results.unshift(...answered);
    const text = typedText(plainText(content));
    const images = blocks.filter(({ type }) => type === "image").length;
    if (answered.length === 0 && (text !== "" || images > 0)) return { text, images, results };
  }
  return { text: "", images: 0, results };
}

export function plainText(value: z.infer<typeof blocksOrText>): string {
  if (typeof value === "string") return value;
  return value
    .flatMap((one) => {
      const parsed = textBlock.safeParse(one);
      return parsed.success ? [parsed.data.text] : [];
    })
    .join("\n");
}

/**
 * The gateway puts a time before each message and sends its own notes as further user messages,
 * fenced: neither is the user's.
 */
function typedText(text: string): string {
  return text
    .replace(/<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[\s\S]*?(<<<END_OPENCLAW_INTERNAL_CONTEXT>>>|$)/g, "")
    .trim()
    .replace(/^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2}[^\]\n]*\] ?/, "")
    .trim();
}
