import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";

const MOST_SHOWN = 100;

export const chatConversations = defineTool({
  name: "chat_conversations",
  title: "List conversations",
  description: "Your conversations with the Moltbot, the latest first, and which of them it is working on.",
  scope: "chat",
  effect: "read",
  idempotent: true,
  needs: ["chat"],
  input: z.strictObject({}),
  output: z.object({
    conversations: z.array(
      z.object({
        conversation: z.string(),
        title: z.string(),
        last_activity: z.string(),
        messages: z.number(),
        running: z.string().optional().describe("The run_id of the message it is working on."),
        queued: z.number(),
      }),
    ),
  }),
  deadlineMs: 30_000,
  async run(_input, { chat }, { principal }) {
    const all = unwrap(await chat.conversations(principal));
    const conversations = all.slice(0, MOST_SHOWN);
    const lines = conversations.map(
      ({ conversation, title, lastActivity, messages, running }) =>
        `${conversation}  ${lastActivity}  ${messages} messages${running ? `  (working on ${running})` : ""}  ${title}`,
    );
    if (all.length > MOST_SHOWN) lines.push(`[${all.length - MOST_SHOWN} older ones are not shown]`);
    return {
      data: {
        conversations: conversations.map(({ conversation, title, lastActivity, messages, running, queued }) => ({
          conversation,
          title,
          last_activity: lastActivity,
          messages,
          ...(running ? { running } : {}),
          queued,
        })),
      },
      text: lines.join("\n") || "There is no conversation yet: begin one with chat_send.",
    };
  },
});
