import { z } from "zod";
import { defineTool } from "../tool.ts";
import { MOST_WAIT_SECONDS, runIdField, runResult, waitField } from "./fields.ts";
import { followRun } from "./follow.ts";

export const chatWait = defineTool({
  name: "chat_wait",
  title: "Wait for the Moltbot's answer",
  description:
    "Goes on with a chat that was still running, from the cursor of the last answer. Works as often as needed, also for a chat that has ended.",
  scope: "chat",
  effect: "read",
  idempotent: true,
  needs: ["chat"],
  input: z.strictObject({
    run_id: runIdField,
    cursor: z.number().int().min(0).optional().describe("The cursor of the last answer. Default 0, the beginning."),
    wait_seconds: waitField,
    offset: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe("For an answer that was truncated: the next_offset of the last result. Default 0."),
  }),
  output: runResult,
  deadlineMs: (input) => (input.wait_seconds ?? MOST_WAIT_SECONDS) * 1000 + 10_000,
  async run(input, { chat }, call) {
    const { answer } = await followRun(chat, call, {
      runId: input.run_id,
      cursor: input.cursor ?? 0,
      seconds: input.wait_seconds ?? MOST_WAIT_SECONDS,
      offset: input.offset ?? 0,
    });
    return answer;
  },
});
