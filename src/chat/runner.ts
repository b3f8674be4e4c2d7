import { deadline, pause, raced } from "../core/deadline.ts";
import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { GatewayAccess } from "../gateway/access.ts";
import { abortRun, type ApprovalDecision, resolveApproval, sendMessage } from "../gateway/chat.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import type { GatewayEvent } from "../gateway/events.ts";
import type { RunState } from "./access.ts";
import type { EndEvent } from "./event.ts";
import { collectFiles } from "./files.ts";
import type { ChatLimits } from "./limits.ts";
import type { GatewayLink } from "./link.ts";
import { RunLog } from "./run-log.ts";
import * as outcome from "./outcome.ts";
import { standing } from "./standing.ts";
import type { Run, RunStore } from "./run-store.ts";
import { Turn } from "./turn.ts";

/** An aborted run says so within 100 ms; after this it is ended without having heard. */
const ABORT_HEARD_MS = 3_000;

export interface RunnerOptions {
  store: RunStore;
  link: GatewayLink;
  access: () => GatewayAccess;
  limits: ChatLimits;
}

/** Brings runs to the gateway, turns what it tells into their logs, and sees each one to its end. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #turns = new Map<string, Turn>();
  readonly #logs = new Map<string, RunLog>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#turns.size;
  }

  turn(runId: string): Turn | undefined {
    return this.#turns.get(runId);
  }

  /** Runs a conversation's next message, unless one is being answered. */
  next(session: string): void {
    for (const turn of this.#turns.values()) if (turn.run.session === session) return;
    const run = this.#options.store.nextQueued(session);
    if (!run) return;
    const started = Date.now();
    this.#options.store.start(run.id, started);
    this.take({ ...run, state: "running", started });
  }

  /** The log of a run that has not ended; the same object for all who ask. */
  log(runId: string): RunLog {
    const known = this.#logs.get(runId);
    if (known) return known;
    const opened = new RunLog(this.#options.store, runId);
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
    void this.#drive(turn);
  }

  /** The connection is gone: every run is brought to the gateway again. */
  recover(failure: Failure): void {
    for (const turn of this.#turns.values()) {
      // Whoever is bringing it there sees the loss by himself.
      if (turn.driving) continue;
      turn.trouble(failure);
      void this.#drive(turn);
    }
  }

  /** Ends runs that took too long. */
  expire(now: number): void {
    for (const turn of this.#turns.values()) {
      if (now - (turn.run.started ?? turn.run.created) < this.#options.limits.runMs) continue;
      const connection = this.#options.link.current;
      const { id: runId, session } = turn.run;
      // Best effort: the run is over for us whether or not the gateway hears it.
      if (connection) void abortRun(connection, { session, runId }).catch(() => false);
      this.#end(turn, outcome.failed(turn.log.text, outcome.runTimeout()));
    }
  }

  async cancel(turn: Turn): Promise<void> {
    if (turn.ending) {
      // It has its answer; only files are missing.
      await turn.ended;
      return;
    }
    if (turn.boot === undefined) {
      // Should the message be on its way, #bring stops it when it arrives.
      this.#end(turn, outcome.cancelled(turn.log.text));
      return;
    }
    const connection = await this.#options.link.use();
    const { id: runId, session } = turn.run;
    if (await abortRun(connection, { session, runId })) {
      using limited = deadline(ABORT_HEARD_MS);
      await raced(turn.ended, limited.signal).catch(() => {});
    } else {
      await this.#settle(turn, connection, outcome.cancelled(turn.log.text));
    }
    this.#end(turn, outcome.cancelled(turn.log.text));
  }

  async approve(turn: Turn, id: string, decision: ApprovalDecision): Promise<void> {
    const of = turn.log.approvals.get(id);
    if (of === undefined) {
      throw new Failure("not_found", "This run does not wait for that approval.", {
        hint: "Take the id from the run's approval event; it may have been answered or have expired.",
      });
    }
    await resolveApproval(await this.#options.link.use(), { id, of, decision });
  }

  hear(event: GatewayEvent): void {
    if (event.kind === "approval" || event.kind === "approval_end") {
      this.#hearApproval(event);
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
        else void this.#final(turn, event.text ?? (turn.log.text || undefined));
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

  /** Until the gateway has the run and we hear of it, or the run has ended. */
  async #drive(turn: Turn): Promise<void> {
    if (turn.driving) return;
    turn.driving = true;
    const { retryMs } = this.#options.limits;
    while (!turn.over) {
      const wait = retryMs[turn.troubles];
      if (wait === undefined || (turn.lastTrouble && !MAY_PASS.has(turn.lastTrouble.code))) {
        const failure = turn.lastTrouble ?? outcome.gatewayForgot();
        this.#end(turn, outcome.failed(turn.log.text, turn.boot ? outcome.gatewayGone(failure) : failure));
        break;
      }
      try {
        if (wait > 0) await pause(wait);
        if (turn.over) break;
        const connection = await this.#options.link.use();
        await this.#bring(turn, connection);
        if (connection.open) break;
      } catch (error) {
        const failure = toFailure(error);
        const { id: run } = turn.run;
        log("warn", "chat.run", {
          run,
          outcome: failure.code,
          attempt: turn.troubles,
          cause: failure.cause ?? failure.message,
        });
        turn.trouble(failure);
      }
    }
    turn.driving = false;
  }

  async #bring(turn: Turn, connection: GatewayConnection): Promise<void> {
    const boot = connection.hello?.server.bootId ?? "";
    const { id: runId, session, message } = turn.run;
    if (turn.boot === undefined) {
      const attachments = this.#options.store.attachments(runId);
      const sent = await sendMessage(connection, { session, message, runId, attachments });
      if (turn.over) {
        // Cancelled while the message was on its way; when the run was merely short, there is nothing to stop.
        await abortRun(connection, { session, runId });
        return;
      }
      if (sent === "stop") {
        await this.#finish(turn, outcome.NOTHING_TO_STOP, connection);
        return;
      }
      turn.boot = boot;
      this.#options.store.accepted(runId, boot);
      return;
    }
    if (turn.boot === boot)
      await this.#settle(turn, connection, outcome.failed(turn.log.text, outcome.gatewayForgot()));
    else await this.#settleRestarted(turn, connection);
  }

  /** Asks the history how a run stands; `otherwise` is its end when the history does not know. */
  async #settle(turn: Turn, connection: GatewayConnection, otherwise: EndEvent): Promise<void> {
    const found = await standing(connection, turn.run);
    if (turn.over) return;
    switch (found.state) {
      case "active":
        if (found.text) turn.log.setText(found.text);
        return;
      case "behind":
        turn.behind = true;
        return;
      case "answered":
        turn.files ||= found.files;
        if (found.cancelled) this.#end(turn, outcome.cancelled(found.text));
        else await this.#finish(turn, found.text, connection);
        return;
      case "unknown":
        this.#end(turn, otherwise);
    }
  }

  /** Only an answer that was complete before the restart counts: what the bot does after it is not this run. */
  async #settleRestarted(turn: Turn, connection: GatewayConnection): Promise<void> {
    const found = await standing(connection, turn.run);
    if (turn.over) return;
    if (found.state === "answered" && found.own) await this.#finish(turn, found.text, connection);
    else this.#end(turn, outcome.failed(turn.log.text, outcome.gatewayRestarted()));
  }

  async #final(turn: Turn, text: string | undefined): Promise<void> {
    try {
      if (text === undefined) {
        // Our message was put into another run, or the bot waited for one, or it chose to say nothing.
        await this.#settle(turn, await this.#options.link.use(), outcome.done(turn.log.text));
        return;
      }
      await this.#finish(turn, text);
    } catch (error) {
      log("warn", "chat.run", { run: turn.run.id, outcome: toFailure(error).code, cause: error });
      void this.#drive(turn);
    }
  }

  async #finish(turn: Turn, text: string, connection = this.#options.link.current): Promise<void> {
    if (turn.over) return;
    turn.ending = true;
    if (turn.files && connection) await collectFiles(turn, this.#options.access(), connection, this.#options.limits);
    // The gateway trims the last text; that is no reason to send all of it again.
    if (turn.log.text.trim() !== text.trim()) turn.log.setText(text);
    this.#end(turn, outcome.done(text));
  }

  #end(turn: Turn, event: EndEvent): void {
    if (turn.log.ended) return;
    turn.end(event);
    const { run } = turn;
    const state: RunState = event.status;
    const now = Date.now();
    this.#options.store.end(run, state, now);
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
      void this.#final(turn, undefined);
    }
  }

  #hearApproval(event: Extract<GatewayEvent, { kind: "approval" | "approval_end" }>): void {
    for (const turn of this.#turns.values()) {
      if (turn.over) continue;
      const of = turn.log.approvals.get(event.id);
      if (event.kind === "approval_end") {
        const decision = event.decision === undefined ? {} : { decision: event.decision };
        if (of !== undefined) turn.log.append({ type: "approval", id: event.id, phase: "answered", of, ...decision });
      } else if (of === undefined && turn.run.session === event.session) {
        const expires = event.expires === undefined ? {} : { expires: new Date(event.expires).toISOString() };
        turn.log.append({
          type: "approval",
          id: event.id,
          phase: "asked",
          of: event.of,
          title: event.title,
          ...expires,
        });
      }
    }
  }
}

/** Failures after which another attempt may do better. */
const MAY_PASS: ReadonlySet<string> = new Set(["unavailable", "timeout", "upstream", "cancelled"]);
