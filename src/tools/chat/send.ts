import { z } from "zod";
import { ATTACHMENT_CHARS, ATTACHMENTS, MESSAGE_CHARS } from "../../chat/access.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { conversationField, MOST_WAIT_SECONDS, runResult, waitField } from "./fields.ts";
import { followRun } from "./follow.ts";
import { chatTasks, working } from "./task.ts";

/** A quick answer needs no task. */
const TASK_WAIT_SECONDS = 5;

export const chatSend = defineTool({
  name: "chat_send",
  title: "Chat with the Moltbot",
  description:
    'Sends a message to the Moltbot and waits for its answer, showing it as it grows. Not done within wait_seconds, it answers with status "running", a run_id and a cursor: go on with chat_wait. The run never depends on this call.',
  scope: "chat",
  effect: "write",
  openWorld: true,
  needs: ["chat"],
  input: z.strictObject({
    message: z
      .string()
      .max(
        MESSAGE_CHARS,
        `must be at most ${MESSAGE_CHARS} characters: write a file with file_write and name it in the message`,
      )
      .refine((text) => text.trim() !== "", "must not be empty")
      .describe("What to say."),
    conversation: conversationField,
    wait_seconds: waitField,
    idempotency_key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("Sent again with the same key, the same message is not answered twice: the first run is followed."),
    attachments: z
      .array(
        z.strictObject({
          mime_type: z.string().regex(/^[a-z]+\/[a-z0-9.+-]+$/, "must be a MIME type such as image/png"),
          data: z.base64("must be base64").min(1),
          name: z.string().min(1).max(200).optional(),
        }),
      )
      .max(ATTACHMENTS)
      .refine(
        (all) => all.reduce((sum, { data }) => sum + data.length, 0) <= ATTACHMENT_CHARS,
        "must be at most 10 MB together",
      )
      .optional()
      .describe("Pictures or files for the Moltbot, as base64."),
  }),
  output: runResult,
  tasks: chatTasks,
  deadlineMs: (input) => (input.wait_seconds ?? MOST_WAIT_SECONDS) * 1000 + 10_000,
  async run(input, { chat }, call) {
    const started = unwrap(
      await chat.send(call.principal, {
        message: input.message,
        client: call.client,
        ...(input.conversation ? { conversation: input.conversation } : {}),
        ...(input.idempotency_key ? { idempotencyKey: input.idempotency_key } : {}),
        ...(input.attachments
          ? {
              attachments: input.attachments.map(({ mime_type, data, name }) => ({
                mimeType: mime_type,
                data,
                ...(name ? { name } : {}),
              })),
            }
          : {}),
      }),
    );
    // A client that follows tasks need not hold the line.
    const seconds = input.wait_seconds ?? (call.canTask ? TASK_WAIT_SECONDS : MOST_WAIT_SECONDS);
    const followed = await followRun(chat, call, { runId: started.runId, cursor: started.cursor, seconds, offset: 0 });
    if (call.canTask && followed.data.status === "running") {
      const run = unwrap(await chat.runs(call.principal)).find(({ runId }) => runId === started.runId);
      if (run) return { task: working(run) };
    }
    return { ...followed, data: { ...followed.data, conversation: started.conversation } };
  },
});
