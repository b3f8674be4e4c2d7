import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { runIdField } from "./fields.ts";

export const chatCancel = defineTool({
  name: "chat_cancel",
  title: "Cancel a chat",
  description: "Stops the Moltbot's work on a message. What it said and did so far stays.",
  scope: "chat",
  effect: "write",
  idempotent: true,
  needs: ["chat"],
  input: z.strictObject({ run_id: runIdField }),
  output: z.object({ run_id: z.string(), status: z.enum(["done", "failed", "cancelled"]), text: z.string() }),
  deadlineMs: 30_000,
  async run(input, { chat }, { principal }) {
    const { runId, status, already, text } = unwrap(await chat.cancel(principal, input.run_id));
    return {
      data: { run_id: runId, status, text },
      text: `${already ? `It had ended before: ${status}.` : "Cancelled."}${text ? `\n${text}` : ""}`,
    };
  },
});
