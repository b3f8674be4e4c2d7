import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { approvalDecision } from "../../chat/access.ts";
import { defineTool } from "../tool.ts";

export const chatApprove = defineTool({
  name: "chat_approve",
  title: "Allow or refuse a command",
  description:
    "Answers a command that the Moltbot waits to run, as waiting_for_approval of chat_send or chat_wait showed it. Ask your person first: the command is theirs to allow. Then go on with chat_wait.",
  // Who lets a command run may run commands.
  scope: "exec",
  effect: "destructive",
  openWorld: true,
  idempotent: true,
  needs: ["chat"],
  input: z.strictObject({
    approval_id: z.string().min(1).max(100).describe("The approval_id of waiting_for_approval."),
    decision: approvalDecision.describe(
      "allow-always is remembered for this command in this place, and not offered for every command.",
    ),
  }),
  output: z.object({ run_id: z.string(), decision: approvalDecision }),
  deadlineMs: 30_000,
  async run({ approval_id: id, decision }, { chat }, { principal }) {
    const { runId } = unwrap(await chat.approve(principal, id, decision));
    const done = decision === "deny" ? "Refused" : "Allowed";
    return {
      data: { run_id: runId, decision },
      text: `${done}. Go on with chat_wait {"run_id": "${runId}"} and the cursor you have.`,
    };
  },
});
