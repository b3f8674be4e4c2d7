import { z } from "zod";
import { ATTACHMENT_CHARS, ATTACHMENTS, type ChatAccess, MESSAGE_CHARS, type StartedRun } from "../../chat/access.ts";
import { unwrap } from "../../core/reply.ts";
import { type Call, defineTool } from "../tool.ts";
import { asksOf, questionOf, resumedRun } from "./approval.ts";
import { conversationField, MOST_WAIT_SECONDS, runResult, waitField } from "./fields.ts";
import { followRun } from "./follow.ts";
import { chatTasks, working } from "./task.ts";

/** A quick answer needs no task. */
const TASK_WAIT_SECONDS = 5;

const sendInput = z.strictObject({
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
});

export const chatSend = defineTool({
  name: "chat_send",
  title: "Chat with the Moltbot",
  description:
    'Sends a message to the Moltbot and waits for its answer, showing it as it grows. Not done within wait_seconds, it answers with status "running", a run_id and a cursor: go on with chat_wait. The run never depends on this call.',
  scope: "chat",
  effect: "write",
  openWorld: true,
  needs: ["chat"],
  input: sendInput,
  output: runResult,
  tasks: chatTasks,
  deadlineMs: (input) => (input.wait_seconds ?? MOST_WAIT_SECONDS) * 1000 + 10_000,
  async run(input, { chat }, call) {
    const resumed = await resumedRun(chat, call);
    const { runId, conversation, cursor } = resumed ?? (await begun(chat, call, input));
    // A person who closed the question is not asked again in the same call: the answer says how it can still be done.
    const undecided = resumed?.undecided ?? false;
    // A client that follows tasks need not hold the line.
    const patience = input.wait_seconds ?? (call.canTask ? TASK_WAIT_SECONDS : MOST_WAIT_SECONDS);
    const seconds = undecided ? 0 : patience;
    const { answer, waiting } = await followRun(chat, call, { runId, cursor, seconds, offset: 0 });
    const canAnswer = waiting.length === 0 || asksOf(waiting, call) !== undefined;
    if (call.canTask && canAnswer && !undecided && answer.data.status === "running") {
      const run = unwrap(await chat.runs(call.principal)).find((each) => each.runId === runId);
      if (run) return { task: working(run, waiting, call) };
    }
    const question = undecided ? undefined : questionOf(waiting, call, { runId, conversation, cursor });
    if (question) return question;
    const notes = (resumed?.notes ?? []).map((note) => `[${note}]\n`).join("");
    return { ...answer, text: notes + answer.text, data: { ...answer.data, conversation } };
  },
});

async function begun(chat: ChatAccess, call: Call, input: z.output<typeof sendInput>): Promise<StartedRun> {
  const { message, conversation, idempotency_key: idempotencyKey, attachments } = input;
  const sent = await chat.send(call.principal, {
    message,
    client: call.client,
    ...(conversation ? { conversation } : {}),
    ...(idempotencyKey ? { idempotencyKey } : {}),
    ...(attachments
      ? {
          attachments: attachments.map(({ mime_type: mimeType, data, name }) => ({
            mimeType,
            data,
            ...(name ? { name } : {}),
          })),
        }
      : {}),
  });
  return unwrap(sent);
}
