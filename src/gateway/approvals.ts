import { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { GatewayConnection } from "./connection.ts";
import { approvalAsked, approvalRequest, type GatewayEvent } from "./events.ts";
import { wireFailure } from "./protocol.ts";

/** What the gateway asks a person before it does it. "allow-always" it remembers for this command in this place. */
export const APPROVAL_DECISIONS = ["allow-once", "allow-always", "deny"] as const;
export type ApprovalDecision = (typeof APPROVAL_DECISIONS)[number];

const notFound = z.object({ reason: z.literal("APPROVAL_NOT_FOUND") });

export async function resolveApproval(
  connection: GatewayConnection,
  approval: { id: string; of: "exec" | "plugin"; decision: ApprovalDecision },
): Promise<void> {
  const { id, of, decision } = approval;
  const method = `${of}.approval.resolve`;
  const answer = await connection.exchange(method, { id, decision });
  if (answer.ok) return;
  if (!notFound.safeParse(answer.error.details).success) throw wireFailure(method, answer.error);
  throw new Failure("conflict", "It does not wait for an answer any more.", {
    hint: "See with chat_wait how the run goes on.",
  });
}

/** Everything of this kind that is asked now, of any conversation. */
export async function listApprovals(
  connection: GatewayConnection,
  of: "exec" | "plugin",
): Promise<Extract<GatewayEvent, { kind: "approval" }>[]> {
  const waiting = await connection.request(`${of}.approval.list`, {}, z.array(approvalRequest));
  return waiting.map((asked) => approvalAsked(of, asked));
}
