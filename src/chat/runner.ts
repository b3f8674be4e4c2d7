import { deadline, raced } from "../core/deadline.ts";
import type { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { ApprovalDecision } from "../gateway/approvals.ts";
import { abortRun } from "../gateway/chat.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import type { GatewayEvent } from "../gateway/events.ts";
import type { RunState } from "./access.ts";
import * as approvals from "./approvals.ts";
import { cancel, conclude, type Delivery, drive } from "./delivery.ts";
import type { EndEvent } from "./event.ts";
import { RunLog } from "./run-log.ts";
import * as outcome from "./outcome.ts";
import type { Run } from "./run-store.ts";
import { Turn } from "./turn.ts";

type RunnerOptions = Omit<Delivery, "end">;

/** Keeps the runs that go on: takes them up in turn, writes what the gateway tells into their logs, sees each to its end. */
export class Runner {
  readonly #delivery: Delivery;
  readonly #turns = new Map<string, Turn>();
  readonly #logs = new Map<string, RunLog>();

  constructor(options: RunnerOptions) {
    this.#delivery = { ...options, end: (turn, event) => this.#end(turn, event) };
  }

  get running(): number {
    return this.#turns.size;
  }

  turn(runId: string): Turn | undefined {
    return this.#turns.get(runId);
  }

  /** What goes on in a conversation. */
  turnIn(session: string): Turn | undefined {
    return [...this.#turns.values()].find((turn) => turn.run.session === session && !turn.over);
  }

  /** Runs a conversation's next message, unless one is being answered. */
  next(session: string): void {
    for (const turn of this.#turns.values()) if (turn.run.session === session) return;
    const { store } = this.#delivery;
    const run = store.nextQueued(session);
    if (!run) return;
    const started = Date.now();
    store.start(run.id, started);
    this.take({ ...run, state: "running", started });
  }

  /** The log of a run that has not ended; the same object for all who ask. */
  log(runId: string): RunLog {
    const known = this.#logs.get(runId);
    if (known) return known;
    const opened = new RunLog(this.#delivery.store, runId);
    this.#logs.set(runId, opened);
    return opened;
  }

  /** Ends a run that waits behind another. */
  drop(run: Run): void {
    this.#end(new Turn(run, this.log(run.id)), outcome.cancelled(""));
  }

  /** Takes up a run that is marked as running: a new one, or one of an earlier life of the object. */
  take(run: Run): void {
    if (this.#turns.has(run.id)) return;
    const turn = new Turn(run, this.log(run.id));
    this.#turns.set(run.id, turn);
    void drive(turn, this.#delivery);
  }

  /** The connection is gone: every run is brought to the gateway again. */
  recover(failure: Failure): void {
    for (const turn of this.#turns.values()) {
      // Whoever is bringing it there sees the loss by himself.
      if (turn.driving) continue;
      turn.trouble(failure);
      void drive(turn, this.#delivery);
    }
  }

  /** Ends runs that took too long. The time a person takes to answer is not theirs. */
  expire(now: number): void {
    const { limits, link } = this.#delivery;
    for (const turn of this.#turns.values()) {
      if (now - turn.since < limits.runMs || turn.log.waiting(now).length > 0) continue;
      const connection = link.current;
      const { id: runId, session } = turn.run;
      // Best effort: the run is over for us whether or not the gateway hears it.
      if (connection) void abortRun(connection, { session, runId }).catch(() => false);
      this.#end(turn, outcome.failed(turn.log.text, outcome.runTimeout()));
    }
  }

  cancel(turn: Turn): Promise<void> {
    return cancel(turn, this.#delivery);
  }

  /**
   * Ends all runs, for the gateway is about to stop. What it does not confirm within the time ends without it, and no
   * connection is made for it: that would start the gateway again.
   */
  async cancelAll(withinMs: number): Promise<void> {
    using limited = deadline(withinMs);
    const ends = [...this.#turns.values()].map(async (turn) => {
      if (this.#delivery.link.current) {
        await raced(this.cancel(turn), limited.signal).catch((cause: unknown) =>
          log("warn", "chat.run", { run: turn.run.id, outcome: "not cancelled in time", cause }),
        );
      }
      this.#end(turn, outcome.cancelled(turn.log.text));
    });
    await Promise.all(ends);
  }

  /** Answers what one of this principal's runs asks; resolves with the run. */
  async approve(principal: string, id: string, decision: ApprovalDecision): Promise<Run> {
    const own = [...this.#turns.values()].filter(({ run }) => run.principal === principal);
    return await approvals.answer(own, { id, decision }, () => this.#delivery.link.use());
  }

  /** A new connection was not told what is asked since before it. */
  catchUp(connection: GatewayConnection): Promise<void> {
    return approvals.catchUp(this.#turns.values(), connection);
  }

  hear(event: GatewayEvent): void {
    if (event.kind === "approval" || event.kind === "approval_end") {
      approvals.hear(this.#turns.values(), event);
      return;
    }
    const turn = this.#turns.get(event.runId);
    if (!turn) {
      if (event.kind === "final" || event.kind === "aborted" || event.kind === "error")
        this.#othersEnded(event.session);
      return;
    }
    if (turn.over) return;
    turn.calm();
    switch (event.kind) {
      case "text":
        turn.log.setText(event.whole);
        return;
      case "tool":
        turn.tool(event);
        return;
      case "media":
        turn.files = true;
        for (const file of event.files) turn.attached.add(file);
        return;
      case "final":
        turn.files ||= event.media;
        if (event.yielded) turn.behind = true;
        else void conclude(turn, event.text ?? (turn.log.text || undefined), this.#delivery);
        return;
      case "aborted": {
        const text = event.text ?? turn.log.text;
        this.#end(
          turn,
          event.reason === "timeout" ? outcome.failed(text, outcome.runTimeout()) : outcome.cancelled(text),
        );
        return;
      }
      case "error":
        this.#end(turn, outcome.failed(turn.log.text, outcome.runFailure(event.reason, event.message)));
    }
  }

  #end(turn: Turn, event: EndEvent): void {
    if (turn.log.ended) return;
    turn.end(event);
    const { run } = turn;
    const state: RunState = event.status;
    const now = Date.now();
    this.#delivery.store.end(run, state, now);
    this.#turns.delete(run.id);
    this.#logs.delete(run.id);
    log("info", "chat.run", {
      run: run.id,
      outcome: event.error?.code ?? state,
      ms: now - (run.started ?? run.created),
    });
    this.next(run.session);
  }

  /** A run we did not start has ended; one of ours may have been waiting behind it. */
  #othersEnded(session: string): void {
    for (const turn of this.#turns.values()) {
      if (!turn.behind || turn.over || turn.run.session !== session) continue;
      turn.behind = false;
      void conclude(turn, undefined, this.#delivery);
    }
  }
}
