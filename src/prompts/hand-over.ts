import { z } from "zod";
import { DEFAULT_CONVERSATION } from "../chat/conversation.ts";
import { conversationArgument, knownConversations } from "./conversation.ts";
import { definePrompt } from "./prompt.ts";

export const handOver = definePrompt({
  name: "hand_over",
  title: "Hand a job to the Moltbot",
  description: "Turns a job into a message that the Moltbot can work from, sends it, and reports what came of it.",
  uses: ["chat_send", "chat_wait", "chat_cancel"],
  needs: ["chat"],
  input: z.strictObject({
    job: z.string().min(1, "must not be empty").describe("What is to be done."),
    conversation: conversationArgument,
  }),
  complete: { conversation: knownConversations },
  async render({ job, conversation = DEFAULT_CONVERSATION }) {
    const text = [
      `Hand this job to my Moltbot:\n\n${job}`,
      "It knows nothing of what we have talked about here. Write one message that says what is wanted, what it needs to know, which files in its /workspace matter, and when it is done. Ask me first if you would have to guess at something that matters.",
      `Send it with chat_send in the conversation "${conversation}", with an idempotency_key. While the status is "running", go on with chat_wait; if it goes astray, stop it with chat_cancel and tell me.`,
      "At the end tell me what it did, what it says is left, and where the result is.",
    ];
    return [{ role: "user", content: { type: "text", text: text.join("\n\n") } }];
  },
});
