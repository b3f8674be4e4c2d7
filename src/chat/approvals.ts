import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { type ApprovalDecision, listApprovals, resolveApproval } from "../gateway/approvals.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import type { GatewayEvent } from "../gateway/events.ts";
import type { AskedApproval } from "./access.ts";
import { type ApprovalEvent, isOver } from "./event.ts";
import type { Run } from "./run-store.ts";
import type { Turn } from "./turn.ts";

/** A gateway that does not say takes these. */
const USUAL_DECISIONS = ["allow-once", "deny"];

/** What the bot asks, as other folders see it. */
export function asked(event: ApprovalEvent): AskedApproval {
  const { id, of, title = "", cwd, warnings = [], decisions = USUAL_DECISIONS, expires } = event;
  const known = { ...(cwd === undefined ? {} : { cwd }), ...(expires === undefined ? {} : { expires }) };
  return { id, of, title, warnings, decisions, ...known };
}

type Asked = Extract<GatewayEvent, { kind: "approval" }>;

/** What the gateway asks, or that it has its answer, into the log of the run it belongs to. */
export function hear(turns: Iterable<Turn>, event: Extract<GatewayEvent, { kind: "approval" | "approval_end" }>): void {
  for (const turn of turns) {
    if (turn.over) continue;
    if (event.kind === "approval_end") settle(turn, event.id, event.decision);
    else if (turn.run.session === event.session) ask(turn, event);
  }
}

function ask(turn: Turn, event: Asked): void {
  const { id, of, title, cwd, warnings, decisions, expires } = event;
  if (turn.log.approvals.has(id)) return;
  turn.log.append({
    type: "approval",
    id,
    phase: "asked",
    of,
    title,
    ...(cwd === undefined ? {} : { cwd }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(decisions === undefined ? {} : { decisions }),
    ...(expires === undefined ? {} : { expires: new Date(expires).toISOString() }),
  });
}

function settle(turn: Turn, id: string, decision: string | undefined): void {
  const found = turn.log.approvals.get(id);
  if (found === undefined || found.answer !== undefined) return;
  // The gateway tells of one that expired as if somebody had refused it.
  const expired = decision !== "allow-once" && decision !== "allow-always" && isOver(found.expires, Date.now());
  turn.log.append({ type: "approval", id, phase: "answered", of: found.of, decision: expired ? "expired" : decision });
  // The gateway's own clock stood still meanwhile.
  turn.since = Date.now();
}

/**
 * Answers what one of these runs asks, and resolves with that run. The same answer may come twice: a client repeats
 * what it has not heard the end of.
 */
export async function answer(
  turns: Iterable<Turn>,
  given: { id: string; decision: ApprovalDecision },
  connect: () => Promise<GatewayConnection>,
): Promise<Run> {
  const { id, decision } = given;
  for (const turn of turns) {
    const found = turn.log.approvals.get(id);
    if (found === undefined) continue;
    if (found.answer === decision) return turn.run;
    if (found.answer !== undefined || isOver(found.expires, Date.now())) throw tooLate(found.answer ?? "expired");
    const { decisions } = asked(found);
    if (!decisions.includes(decision)) {
      throw new Failure("invalid_input", `This cannot be answered with "${decision}".`, {
        hint: `Answer with one of: ${decisions.join(", ")}.`,
      });
    }
    await resolveApproval(await connect(), { id, of: found.of, decision });
    // The event that tells so is dropped when the connection is busy.
    settle(turn, id, decision);
    return turn.run;
  }
  throw new Failure("not_found", "No command of that approval_id waits for you.", {
    hint: "It may have been answered, have expired, or its run has ended: chat_wait shows how the run stands.",
  });
}

function tooLate(answered: string): Failure {
  const how = answered === "expired" ? "It expired before it was answered" : `It was answered before: ${answered}`;
  return new Failure("conflict", `${how}.`, { hint: "See with chat_wait how the run goes on." });
}

/** After a connection was lost: what is asked since, and what has been answered. */
export async function catchUp(turns: Iterable<Turn>, connection: GatewayConnection): Promise<void> {
  const known = [...turns].filter(({ boot }) => boot !== undefined);
  if (known.length === 0) return;
  await Promise.all((["exec", "plugin"] as const).map((of) => catchUpWith(known, connection, of)));
}

async function catchUpWith(turns: Turn[], connection: GatewayConnection, of: "exec" | "plugin"): Promise<void> {
  try {
    const waiting = await listApprovals(connection, of);
    for (const event of waiting) hear(turns, event);
    const ids = new Set(waiting.map(({ id }) => id));
    for (const turn of turns) {
      for (const found of turn.log.approvals.values()) {
        if (found.of === of && !ids.has(found.id)) settle(turn, found.id, "elsewhere");
      }
    }
  } catch (error) {
    // The runs themselves go on; what is asked can still be answered in the gateway's own interface.
    log("warn", "chat.approvals", { outcome: toFailure(error).code, cause: error });
  }
}
