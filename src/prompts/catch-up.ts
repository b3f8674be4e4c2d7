import { z } from "zod";
import { DEFAULT_CONVERSATION } from "../chat/conversation.ts";
import { conversationArgument, knownConversations } from "./conversation.ts";
import { definePrompt } from "./prompt.ts";

export const catchUp = definePrompt({
  name: "catch_up",
  title: "Catch me up on a conversation",
  description: "Sums up what was said in a conversation with the Moltbot, and what it waits for.",
  uses: ["chat_history", "chat_conversations"],
  needs: ["chat"],
  input: z.strictObject({ conversation: conversationArgument }),
  complete: { conversation: knownConversations },
  async render({ conversation = DEFAULT_CONVERSATION }) {
    const text = [
      `Catch me up on the conversation "${conversation}" with my Moltbot.`,
      "Read it with chat_history, going back with before as far as the matter reaches; chat_conversations tells whether the Moltbot works on something there now.",
      "Tell me in a few lines what I wanted, what it did, what is open, and whether it waits for me. Do not write to it.",
    ];
    return [{ role: "user", content: { type: "text", text: text.join("\n\n") } }];
  },
});
