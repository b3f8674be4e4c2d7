import { z } from "zod";
import { conversationName, DEFAULT_CONVERSATION } from "../../chat/conversation.ts";

/** Clients cut a call at about a minute; the rest of it is for the way there and back. */
export const MOST_WAIT_SECONDS = 45;

export const conversationField = conversationName
  .optional()
  .describe(`Which conversation. Any name makes a new one; default "${DEFAULT_CONVERSATION}".`);

export const runIdField = z
  .string()
  .min(1)
  .max(64, "must be a run_id that chat_send gave")
  .describe("The run_id that chat_send gave.");

export const waitField = z
  .number()
  .min(0)
  .max(MOST_WAIT_SECONDS, `must be at most ${MOST_WAIT_SECONDS}: go on with chat_wait`)
  .optional()
  .describe(`How long to wait for the answer. Default and most ${MOST_WAIT_SECONDS}.`);

/** What chat_send and chat_wait answer. */
export const runResult = z.object({
  run_id: z.string(),
  conversation: z.string().optional(),
  status: z.enum(["running", "done", "failed", "cancelled"]),
  text: z.string().optional().describe("The answer, once it has ended."),
  truncated: z.boolean().optional().describe("The answer is longer than text: go on with chat_wait and next_offset."),
  next_offset: z.number().optional(),
  partial: z.string().optional().describe("What came since the cursor, while it is running."),
  cursor: z.number().describe("Where chat_wait goes on."),
  model: z.string().optional().describe("The model that answered, once it has ended."),
  tools: z.array(z.string()).describe("What the Moltbot did meanwhile."),
  waiting_for_approval: z
    .array(
      z.object({
        approval_id: z.string(),
        kind: z.enum(["exec", "plugin"]),
        command: z.string(),
        cwd: z.string().optional(),
        warnings: z.array(z.string()),
        decisions: z.array(z.string()).describe("What chat_approve takes."),
        expires_at: z.string().optional(),
      }),
    )
    .optional()
    .describe("What it may not do without a person's answer by chat_approve; it goes on after that."),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});

export type RunResult = z.output<typeof runResult>;
