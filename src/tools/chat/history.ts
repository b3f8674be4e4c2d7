import { z } from "zod";
import { DEFAULT_CONVERSATION } from "../../chat/conversation.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { conversationField } from "./fields.ts";

const DEFAULT_MESSAGES = 20;
const MOST_MESSAGES = 50;
/** Characters of all messages together. */
const MOST_CHARACTERS = 20_000;
/** Of one of them, however few there are. */
const MOST_OF_ONE = 8_000;

export const chatHistory = defineTool({
  name: "chat_history",
  title: "Read a conversation",
  description: "The latest messages of a conversation with the Moltbot, oldest first.",
  scope: "chat",
  effect: "read",
  idempotent: true,
  needs: ["chat"],
  input: z.strictObject({
    conversation: conversationField,
    limit: z
      .number()
      .int()
      .min(1)
      .max(MOST_MESSAGES)
      .optional()
      .describe(`How many messages. Default ${DEFAULT_MESSAGES}.`),
    before: z.string().min(1).max(200).optional().describe("Go on with older ones: the before of the last answer."),
  }),
  output: z.object({
    conversation: z.string(),
    messages: z.array(
      z.object({
        role: z.enum(["user", "assistant"]),
        text: z.string(),
        at: z.string().optional(),
        tools: z.array(z.string()),
        images: z.number(),
        truncated: z.boolean(),
      }),
    ),
    before: z.string().optional(),
  }),
  deadlineMs: 45_000,
  async run({ conversation = DEFAULT_CONVERSATION, limit = DEFAULT_MESSAGES, before }, { chat }, { principal }) {
    const page = unwrap(await chat.history(principal, conversation, { limit, ...(before ? { before } : {}) }));
    const most = Math.min(MOST_OF_ONE, Math.floor(MOST_CHARACTERS / Math.max(1, page.messages.length)));
    const messages = page.messages.map(({ role, text, at, tools, images }) => ({
      role,
      text: text.slice(0, most),
      ...(at ? { at } : {}),
      tools,
      images: images.length,
      truncated: text.length > most,
    }));
    const lines = messages.map(({ role, text, truncated }) => `${role}: ${text}${truncated ? " …" : ""}`);
    if (messages.some(({ truncated }) => truncated)) lines.push("[Ask for fewer messages to see more of each.]");
    if (page.before) lines.unshift(`[Older messages: chat_history with before "${page.before}"]`);
    return {
      data: { conversation: page.conversation, messages, ...(page.before ? { before: page.before } : {}) },
      text: lines.join("\n\n") || "Nothing was said in this conversation yet.",
    };
  },
});
