import { z } from "zod";
import { approvalDecision, type AskedApproval, type ChatAccess } from "../../chat/access.ts";
import { unwrap } from "../../core/reply.ts";
import { answerTo, type Ask, elicitation, type Question } from "../ask.ts";
import type { Call } from "../tool.ts";
import type { RunResult } from "./fields.ts";

/** A longer command is shown by its beginning; the structured result has all of it. */
const MOST_SHOWN = 4_000;

type Waiting = NonNullable<RunResult["waiting_for_approval"]>;

/** What the bot waits to be allowed, for the structured result. */
export function waitingOf(asked: readonly AskedApproval[]): Waiting {
  return asked.map(({ id, of, title, cwd, warnings, decisions, expires }) => ({
    approval_id: id,
    kind: of,
    command: title,
    ...(cwd === undefined ? {} : { cwd }),
    warnings,
    decisions,
    ...(expires === undefined ? {} : { expires_at: expires }),
  }));
}

/** The same for a model to read, with how to answer. */
export function waitingText(asked: readonly AskedApproval[], call: Call): string {
  return asked
    .map((approval) => {
      const { id, decisions, expires } = approval;
      const choices = decisions.map((decision) => `"${decision}"`).join(" or ");
      const until = expires === undefined ? "" : `, until ${expires}`;
      const how = mayAnswer(call)
        ? `Ask your person, then answer with chat_approve {"approval_id": "${id}", "decision": ${choices}}${until}.`
        : `This client has no permission to answer: it has to be done with one that may run commands${until}.`;
      return `[${wish(approval)}\n${how}]`;
    })
    .join("\n");
}

/** Only a client that may run commands itself may let one be run. */
function mayAnswer(call: Call): boolean {
  return call.scopes.includes("exec");
}

/** What to put before the person, when the client can do that and may carry the answer. */
export function asksOf(asked: readonly AskedApproval[], call: Call): Record<string, Ask> | undefined {
  if (!call.canAsk || !mayAnswer(call) || asked.length === 0) return undefined;
  const ask: Record<string, Ask> = {};
  for (const approval of asked) ask[keyOf(approval.id)] = elicitation(wish(approval), formOf(approval.decisions));
  return ask;
}

/** The same as the end of a call that the client makes again with the answers. */
export function questionOf(
  asked: readonly AskedApproval[],
  call: Call,
  at: { runId: string; conversation: string; cursor: number },
): Question | undefined {
  const ask = asksOf(asked, call);
  return ask && { ask, state: { ...at, approvals: asked.map(({ id }) => id) } satisfies Resumption };
}

const resumption = z.object({
  runId: z.string(),
  conversation: z.string(),
  cursor: z.number(),
  approvals: z.array(z.string()),
});
type Resumption = z.output<typeof resumption>;

/**
 * Carries out what the person decided, and says where the run is to be followed from. Undefined: the client has not come
 * back from a question. What the person did not decide goes on waiting.
 */
export async function resumedRun(
  chat: ChatAccess,
  call: Call,
): Promise<(Omit<Resumption, "approvals"> & { notes: string[]; undecided: boolean }) | undefined> {
  const state = resumption.safeParse(call.resumed?.state);
  if (!state.success) return undefined;
  const { approvals, ...at } = state.data;
  return { ...at, ...(await carryOut(chat, call, approvals, call.resumed?.answers ?? {})) };
}

/** Passes on what the person decided of these. `notes` tell of decisions that came too late. */
export async function carryOut(
  chat: ChatAccess,
  call: Call,
  approvals: readonly string[],
  answers: Record<string, unknown>,
): Promise<{ notes: string[]; undecided: boolean }> {
  // An id that the client was asked about proves nothing about what it may do now.
  if (!mayAnswer(call)) return { notes: [], undecided: true };
  const notes: string[] = [];
  let undecided = false;
  for (const id of approvals) {
    const decision = decided(answers, id);
    if (decision === undefined) {
      undecided = true;
      continue;
    }
    const answered = await chat.approve(call.principal, id, decision);
    // Expired, or answered by somebody else meanwhile: the run goes on all the same.
    if (!answered.ok && ["conflict", "not_found"].includes(answered.failure.code)) notes.push(answered.failure.message);
    else unwrap(answered);
  }
  return { notes, undecided };
}

function decided(answers: Record<string, unknown>, id: string): z.output<typeof approvalDecision> | undefined {
  const answer = answerTo({ answers, state: undefined }, keyOf(id), formOf(approvalDecision.options));
  switch (answer?.action) {
    case "accept":
      return approvalDecision.parse(answer.content.decision);
    case "decline":
      return "deny";
    case "cancel":
    case undefined:
      return undefined;
  }
}

function formOf(decisions: readonly string[]) {
  return z.object({ decision: z.enum(decisions) });
}

function keyOf(id: string): string {
  return `approve_${id}`;
}

function wish({ of, title, cwd, warnings }: AskedApproval): string {
  const what = of === "exec" ? "to run this command" : "to do this";
  const shown =
    title.length > MOST_SHOWN
      ? `${title.slice(0, MOST_SHOWN)}\n… and ${title.length - MOST_SHOWN} more characters`
      : title;
  return [`The Moltbot wants ${what}${cwd === undefined ? "" : ` in ${cwd}`}:`, shown, ...warnings].join("\n");
}
