import { z } from "zod";
import { DEFAULT_CONVERSATION } from "../chat/conversation.ts";
import { unwrap } from "../core/reply.ts";
import type { Complete } from "./prompt.ts";
import type { ToolServices } from "../tools/services.ts";

export const conversationArgument = z
  .string()
  .optional()
  .describe(`The name of a conversation with the Moltbot. Default "${DEFAULT_CONVERSATION}".`);

/** The person's conversations, the latest first. */
export const knownConversations: Complete<Pick<ToolServices, "chat">> = async (_typed, { chat }, { principal }) =>
  unwrap(await chat.conversations(principal)).map(({ conversation }) => conversation);
