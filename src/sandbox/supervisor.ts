import { pause } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { GatewayBoot } from "./boot.ts";
import { Companions } from "./companions.ts";
import { GATEWAY_ID, GatewayLog } from "./gateway-log.ts";
import type { GatewayPlan, GatewayTokens } from "./gateway-plan.ts";
import type { GatewayStatus } from "./lifecycle.ts";
import type { GatewayHost, ProcessState } from "./processes.ts";
import { type GatewayRecord, KeptRecord } from "./record.ts";

/** After so many failed starts in a row nothing more is tried until a person asks: each costs container time. */
const MOST_FAILURES = 3;
/** A gateway that ended or hung so often in so long a time is not started again by itself. */
const MOST_REVIVALS = 5;
const REVIVALS_WITHIN_MS = 10 * 60 * 1000;
/** A gateway whose process is there but has not answered for so long does not recover. */
const HANGS_AFTER_MS = 60_000;

/** What else an end in order is made of than the gateway's. */
export interface EndSteps {
  before(): Promise<void>;
  after(): Promise<void>;
}

const GATEWAY_ONLY: EndSteps = { before: async () => {}, after: async () => {} };

/** Starts the gateway once however many ask, looks after it, ends it in order, and says how it is. */
export class GatewaySupervisor {
  readonly #host: GatewayHost;
  readonly #kept: KeptRecord;
  readonly #companions: Companions;
  readonly #log: GatewayLog;
  readonly #boot: GatewayBoot;
  #starting: Promise<GatewayTokens> | undefined;
  #ending: Promise<void> | undefined;
  #watching = false;
  #silentSince: number | undefined;

  constructor(host: GatewayHost, plan: (tokens: GatewayTokens) => GatewayPlan) {
    const kept = new KeptRecord(host.storage);
    this.#host = host;
    this.#kept = kept;
    this.#companions = new Companions(host, plan, kept);
    this.#log = new GatewayLog(host, kept);
    this.#boot = new GatewayBoot({ host, plan, kept, companions: this.#companions, log: this.#log });
  }

  /** The tokens of a gateway that answers, started when it has to be. */
  ready(): Promise<GatewayTokens> {
    return this.#starting ?? this.#fly(this.#ensureAfter(this.#ending));
  }

  /** Stops the gateway, forgets earlier failures, and starts it. */
  restart(): Promise<GatewayTokens> {
    return this.#fly(this.#restartAfter(this.#starting, this.#ending));
  }

  /** Ends the gateway in order, so that nothing of it is lost. A start that is asked for meanwhile waits for the last step. */
  end(steps: EndSteps = GATEWAY_ONLY): Promise<void> {
    const landed = this.#endAfter(this.#starting, this.#ending, steps).finally(() => {
      if (this.#ending === landed) this.#ending = undefined;
    });
    this.#ending = landed;
    return landed;
  }

  /** Resolves when no end is under way. */
  async ended(): Promise<void> {
    await this.#ending?.catch(() => undefined);
  }

  /** Whether a start or an end is under way in this object, and not only in the record. */
  get moving(): boolean {
    return this.#starting !== undefined || this.#ending !== undefined;
  }

  /** What the record says, checked against what is there. It starts nothing, and is no use of the container. */
  async status(): Promise<GatewayStatus> {
    const record = await this.#kept.read();
    const problem = await this.#companions.problem(Date.now());
    return { ...(await this.#statusOf(record)), starts: record.starts, ...(problem ? { problem } : {}) };
  }

  /** Looks after the gateway with nobody asking: mends what has ended, takes up what was interrupted. One round at a time. */
  async watch(now: number): Promise<void> {
    if (this.#watching || this.moving || !this.#host.running()) return;
    this.#watching = true;
    try {
      await this.#look(now);
    } finally {
      this.#watching = false;
    }
  }

  /** The gateway's last lines, redacted; of its last run when it does not run. */
  log(lines: number): Promise<{ lines: string[]; running: boolean }> {
    return this.#log.lines(lines);
  }

  /** The present tokens; the bridge compares what it is shown with them. */
  async tokens(): Promise<GatewayTokens> {
    return (await this.#kept.read()).tokens;
  }

  async #statusOf(record: GatewayRecord): Promise<Omit<GatewayStatus, "starts">> {
    const { failures, reason, readySince, phase = "asleep", since, step, tokens } = record;
    const when = since ? { since } : {};
    if (this.moving) {
      const moving = phase === "restoring" || phase === "draining" ? phase : "starting";
      return { phase: moving, ...when, ...(step ? { step } : {}) };
    }
    if (failures >= MOST_FAILURES) return { phase: "failed", ...when, ...(reason ? { reason } : {}) };
    if (!this.#host.running()) return { phase: "asleep", ...(phase === "asleep" ? when : {}) };
    if (phase === "draining") return { phase, ...when, step: "Taking up an end that was interrupted" };
    if (await this.#boot.answers(tokens)) return { phase: "ready", ...when, ...(readySince ? { readySince } : {}) };
    if (phase === "asleep" || phase === "failed") return { phase: "asleep", ...when };
    if (phase !== "ready") return { phase: "starting", ...when, step: "Taking up a start that was interrupted" };
    const process = await this.#process();
    if (process === undefined || process.running) return { phase: "unresponsive" };
    return { phase: "starting", step: `It ended with exit code ${process.exitCode ?? "unknown"} and is started again` };
  }

  async #look(now: number): Promise<void> {
    const { phase, tokens, failures } = await this.#kept.read();
    if (phase === undefined || phase === "asleep" || phase === "failed" || failures >= MOST_FAILURES) return;
    if (phase === "draining") return await this.#host.sleep();
    if (await this.#boot.answers(tokens)) {
      this.#silentSince = undefined;
      if (phase === "ready" && (await this.#companions.mend(tokens))) return;
    } else if (phase === "ready") {
      const process = await this.#process();
      this.#silentSince ??= now;
      // A process that is there may only be slow: for a while that is for whoever needs it to decide.
      const hangs = process === undefined || process.running;
      if (hangs && now - this.#silentSince < HANGS_AFTER_MS) return;
      if (!(await this.#mayRevive(now, hangs ? "hung" : "ended"))) return;
    }
    // How it ends is in the record.
    await this.ready().catch(() => undefined);
  }

  async #mayRevive(now: number, what: "hung" | "ended"): Promise<boolean> {
    const { revived = [] } = await this.#kept.read();
    const lately = [...revived.filter((at) => at > now - REVIVALS_WITHIN_MS), now];
    this.#silentSince = undefined;
    if (lately.length > MOST_REVIVALS) {
      const { message } = await this.#log.diagnosed(`The gateway ${what} ${lately.length} times within 10 minutes`);
      await this.#kept.enter("failed", undefined, { failures: MOST_FAILURES, reason: message });
      return false;
    }
    await this.#kept.change({ revived: lately });
    log("warn", "gateway.watch", { outcome: what, revivals: lately.length });
    return true;
  }

  /** Undefined: it is not known whether it runs. */
  async #process(): Promise<ProcessState | undefined> {
    const gone: ProcessState = { pid: undefined, running: false, exitCode: undefined };
    return await this.#host.process(GATEWAY_ID).then(
      (process) => process ?? gone,
      () => undefined,
    );
  }

  /** Whoever asks meanwhile waits for the same; stopping is part of it, or a start could meet a gateway half gone. */
  #fly(flight: Promise<GatewayTokens>): Promise<GatewayTokens> {
    const landed = flight.finally(() => {
      if (this.#starting === landed) this.#starting = undefined;
    });
    this.#starting = landed;
    return landed;
  }

  /** Starts and ends wait only for what began before them: one that waited for a later one could wait for ever. */
  async #ensureAfter(ending: Promise<void> | undefined): Promise<GatewayTokens> {
    await ending?.catch(() => undefined);
    return await this.#ensure();
  }

  async #restartAfter(
    before: Promise<GatewayTokens> | undefined,
    ending: Promise<void> | undefined,
  ): Promise<GatewayTokens> {
    await before?.catch(() => undefined);
    await ending?.catch(() => undefined);
    await this.#kept.enter("starting", "Ending the gateway before it", { failures: 0, reason: "", revived: [] });
    if (this.#host.running()) await this.#boot.stop();
    return await this.#ensure();
  }

  async #endAfter(
    before: Promise<GatewayTokens> | undefined,
    ending: Promise<void> | undefined,
    steps: EndSteps,
  ): Promise<void> {
    await before?.catch(() => undefined);
    await ending?.catch(() => undefined);
    const { phase } = await this.#kept.read();
    const rests = phase === "failed" ? phase : "asleep";
    if (!this.#host.running()) {
      if (phase !== rests) await this.#kept.enter(rests, undefined);
      return;
    }
    await this.#kept.enter("draining", "Ending what it is doing");
    await steps.before();
    await this.#kept.enter("draining", "Keeping the last changes");
    // A container that no longer answers is stopped all the same.
    await this.#boot.stop().catch((cause: unknown) => log("error", "gateway.end", { outcome: "not in order", cause }));
    await steps.after();
    await this.#kept.enter(rests, undefined);
  }

  async #ensure(): Promise<GatewayTokens> {
    const record = await this.#kept.read();
    if (this.#host.running() && (await this.#isThere(record).catch(() => false))) return record.tokens;
    for (let failures = record.failures, lost = false; ;) {
      if (failures >= MOST_FAILURES) throw givenUp((await this.#kept.read()).reason);
      const started = Date.now();
      try {
        const tokens = await this.#boot.start();
        log("info", "gateway.start", { outcome: "ready", ms: Date.now() - started });
        return tokens;
      } catch (error) {
        // A container that was lost, or cannot be had just now, says nothing about the gateway.
        if (error instanceof Failure && error.code === "unavailable") {
          log("warn", "gateway.start", { outcome: "no container", ms: Date.now() - started, cause: error.cause });
          await this.#kept.enter("asleep", undefined);
          if (lost) throw error;
          lost = true;
          continue;
        }
        const reason = error instanceof Failure ? error.message : "The container could not be started.";
        const fatal = error instanceof Failure && error.code === "misconfigured";
        failures = fatal ? MOST_FAILURES : failures + 1;
        const given = failures >= MOST_FAILURES;
        await this.#kept.enter(given ? "failed" : "starting", given ? undefined : "Trying again", { failures, reason });
        log("error", "gateway.start", { outcome: "failed", failures, ms: Date.now() - started, cause: error });
        await pause(500 * failures);
      }
    }
  }

  /** Whether the gateway need not be started; a start that was interrupted is seen to its end. */
  async #isThere(record: GatewayRecord): Promise<boolean> {
    const { phase, tokens } = record;
    if (phase === "starting") return await this.#boot.goOn(record);
    if (!(await this.#boot.stillAnswers(tokens)) || !(await this.#companions.mend(tokens))) return false;
    await this.#boot.renew(record);
    if (phase !== "ready") await this.#kept.enter("ready", undefined);
    return true;
  }
}

function givenUp(reason: string | undefined): Failure {
  return new Failure("given_up", `The Moltbot does not start and is not tried again. ${reason ?? ""}`.trim(), {
    hint: "Mend what the log says, then call bot_restart.",
  });
}
