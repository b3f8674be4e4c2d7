import type { AskedApproval, RunView } from "../../chat/access.ts";
import { CHAT_LIMITS } from "../../chat/limits.ts";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import type { ToolServices } from "../services.ts";
import type { Tasks, TaskState } from "../task.ts";
import type { Call } from "../tool.ts";
import { asksOf, carryOut, waitingText } from "./approval.ts";
import type { RunResult } from "./fields.ts";
import { followRun } from "./follow.ts";

/** Milliseconds: an answer takes seconds. */
const POLL_MS = 2_000;
/** All of an answer that has ended is there; reading it takes less than this. */
const READ_SECONDS = 20;

/** A run as a task of the same id: the chat object tells whose it is, and keeps it for a day. */
export const chatTasks: Tasks<Pick<ToolServices, "chat">, RunResult> = {
  pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  async get(id, { chat }, call) {
    const run = unwrap(await chat.runs(call.principal)).find(({ runId }) => runId === id);
    if (!run) throw new Failure("not_found", "There is no such run.", { hint: "Runs are kept for a day." });
    if (run.ended === undefined) return working(run, unwrap(await chat.approvals(call.principal, id)), call);
    if (run.state === "cancelled") return { ...shared(run), status: "cancelled" };
    const { answer } = await followRun(chat, call, { runId: id, cursor: 0, seconds: READ_SECONDS, offset: 0 });
    return { ...shared(run), status: "completed", answer };
  },
  async cancel(id, { chat }, { principal }) {
    unwrap(await chat.cancel(principal, id));
  },
  async update(id, answers, { chat }, call) {
    const waiting = unwrap(await chat.approvals(call.principal, id));
    await carryOut(
      chat,
      call,
      waiting.map((asked) => asked.id),
      answers,
    );
  },
};

/** A run that goes on, or waits for its person. */
export function working(run: RunView, waiting: readonly AskedApproval[], call: Call): TaskState<RunResult> {
  const ask = asksOf(waiting, call);
  if (ask) return { ...shared(run), status: "input_required", message: "It waits for its person.", ask };
  if (waiting.length > 0) return { ...shared(run), status: "working", message: waitingText(waiting, call) };
  const message = run.state === "queued" ? "Waits for the message before it." : "The Moltbot works on it.";
  return { ...shared(run), status: "working", message };
}

function shared({ runId, started, ended }: RunView) {
  return { id: runId, created: started, updated: ended ?? started, keptMs: CHAT_LIMITS.keepMs, pollMs: POLL_MS };
}
