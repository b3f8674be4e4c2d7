import { z } from "zod";
import { definePrompt } from "./prompt.ts";

export const briefMe = definePrompt({
  name: "brief_me",
  title: "Brief me from memory",
  description: "Has the Moltbot say what it remembers of a subject, or of what is going on, and sums it up.",
  uses: ["chat_send", "chat_wait"],
  needs: [],
  input: z.strictObject({
    subject: z.string().optional().describe("What about. Left out: what is going on and what is due."),
  }),
  async render({ subject }) {
    const about = subject?.trim()
      ? `about this:\n\n${subject.trim()}`
      : "of what is going on, and of what is due soon.";
    const text = [
      `Brief me from my Moltbot's memory ${about}`,
      'Ask it with chat_send in the conversation "briefing": have it search its memory and notes, and name for each point where it has it from and how old it is. If the status is "running", go on with chat_wait.',
      "Then give me the short version: what is known, what is decided, what is open. Keep what it remembers apart from what you conclude, and say so when it remembers nothing.",
    ];
    return [{ role: "user", content: { type: "text", text: text.join("\n\n") } }];
  },
});
