import { pause } from "../core/deadline.ts";
import { sha256 } from "../core/digest.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { redact } from "../core/redact.ts";
import { shellLine } from "../core/shell.ts";
import type { GatewayPlan, GatewayTokens } from "./gateway-plan.ts";
import type { GatewayStatus } from "./lifecycle.ts";
import { endProcess, type GatewayHost } from "./processes.ts";
import { type GatewayRecord, KeptRecord, newTokens } from "./record.ts";

/** After so many failed starts in a row nothing more is tried until a person asks: each costs container time. */
const MOST_FAILURES = 3;
const READY_WITHIN_MS = 120_000;
const PROBE_EVERY_MS = 150;
/** How long a running gateway that does not answer is waited for before it is replaced. */
const PATIENCE_MS = 10_000;
const STOP_WITHIN_MS = 8_000;
const LOG_LINES = 15;
/** In this time the gateway sees that its files have changed; measured at 0.3 to 0.8 s. */
const TAKEN_OVER_MS = 1_500;
/** The companion has work left to do when the gateway is gone. */
const COMPANION_STOP_WITHIN_MS = 20_000;
/** The companion's word that the gateway has to be started anew. */
const START_ANEW = 3;
const PROCESS_ID = "gateway";
const COMPANION_ID = "companion";
/** A gateway that died so often in so long a time is not started again by itself. */
const MOST_REVIVALS = 5;
const REVIVALS_WITHIN_MS = 10 * 60 * 1000;
/** How much of the last run's log is kept for when nothing runs. */
const TAIL_LINES = 200;
const TAIL_CHARACTERS = 32_000;
const PREPARING = "Putting the memory back";
const STARTING = "Starting the gateway";

/** Starts the gateway once however many ask, watches it come up, and says why when it does not. */
export class GatewaySupervisor {
  readonly #host: GatewayHost;
  readonly #plan: (tokens: GatewayTokens) => GatewayPlan;
  readonly #kept: KeptRecord;
  #starting: Promise<GatewayTokens> | undefined;
  #draining: Promise<void> | undefined;

  constructor(host: GatewayHost, plan: (tokens: GatewayTokens) => GatewayPlan) {
    this.#host = host;
    this.#plan = plan;
    this.#kept = new KeptRecord(host.storage);
  }

  /** The tokens of a gateway that answers, started when it has to be. */
  ready(): Promise<GatewayTokens> {
    return this.#starting ?? this.#fly(this.#ensureAfter(this.#draining));
  }

  /** Stops the gateway, forgets earlier failures, and starts it. */
  restart(): Promise<GatewayTokens> {
    return this.#fly(this.#restartAfter(this.#starting, this.#draining));
  }

  /** Stops the gateway in order, so that nothing of it is lost when the container is stopped next. */
  rest(before: () => Promise<void> = async () => {}): Promise<void> {
    this.#draining ??= this.#rest(before).finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #rest(before: () => Promise<void>): Promise<void> {
    await this.#starting?.catch(() => undefined);
    if (!this.#host.running()) {
      if ((await this.#kept.read()).phase !== "failed") await this.#kept.enter("asleep", undefined);
      return;
    }
    const { phase } = await this.#kept.read();
    await this.#kept.enter("draining", "Ending what it is doing");
    await before();
    await this.#kept.enter("draining", "Keeping the last changes");
    await this.#stop();
    await this.#kept.enter(phase === "failed" ? "failed" : "asleep", undefined);
  }

  /**
   * What the record says, checked against what is there. It asks the container over the network only, which does not count
   * as activity.
   */
  async status(): Promise<GatewayStatus> {
    const { starts, failures, reason, readySince, phase = "asleep", since, step, tokens } = await this.#kept.read();
    const when = since ? { since } : {};
    if (this.#starting || this.#draining) {
      const moving = phase === "restoring" || phase === "draining" ? phase : "starting";
      return { phase: moving, starts, ...when, ...(step ? { step } : {}) };
    }
    if (failures >= MOST_FAILURES) return { phase: "failed", starts, ...when, ...(reason ? { reason } : {}) };
    if (!this.#host.running()) return { phase: "asleep", starts, ...(phase === "asleep" ? when : {}) };
    if (await this.#answers(tokens)) return { phase: "ready", starts, ...when, ...(readySince ? { readySince } : {}) };
    if (phase === "ready") return { phase: "unresponsive", starts };
    if (phase === "asleep" || phase === "failed") return { phase: "asleep", starts, ...when };
    return { phase: "starting", starts, ...when, step: "Taking up a start that was interrupted" };
  }

  /**
   * Looks after the gateway with nobody asking: one that has died is started again, and a start or an end that was
   * interrupted is taken up. Asks the container over the network only unless there is something to mend.
   */
  async watch(now: number): Promise<void> {
    if (this.#starting || this.#draining || !this.#host.running()) return;
    const { phase, tokens, failures, revived = [] } = await this.#kept.read();
    if (phase === undefined || phase === "asleep" || phase === "failed" || failures >= MOST_FAILURES) return;
    if (phase === "draining") return await this.rest();
    if (await this.#answers(tokens)) return;
    if (phase === "ready") {
      // A process that is there and is slow has no need of a new one; whoever needs it decides that.
      if ((await this.#host.process(PROCESS_ID))?.running) return;
      const lately = [...revived.filter((at) => at > now - REVIVALS_WITHIN_MS), now];
      if (lately.length > MOST_REVIVALS) {
        const ended = await this.#diagnosed(`The gateway ended ${lately.length} times within 10 minutes`);
        await this.#kept.enter("failed", undefined, { failures: MOST_FAILURES, reason: ended.message });
        return;
      }
      await this.#kept.change({ revived: lately });
      log("warn", "gateway.watch", { outcome: "died", revivals: lately.length });
    }
    // How it ends is in the record.
    await this.ready().catch(() => undefined);
  }

  async log(lines: number): Promise<{ lines: string[]; running: boolean }> {
    const { tail = [] } = await this.#kept.read();
    if (!this.#host.running()) return { lines: tail.slice(-lines), running: false };
    const running = (await this.#host.process(PROCESS_ID))?.running ?? false;
    const now = running ? await this.#lastLines(lines) : tail.slice(-lines);
    return { lines: now, running };
  }

  /** The present tokens; the bridge compares what it is shown with them. */
  async tokens(): Promise<GatewayTokens> {
    return (await this.#kept.read()).tokens;
  }

  /** Whoever asks meanwhile waits for the same; stopping is part of it, or a start could meet a gateway half gone. */
  #fly(flight: Promise<GatewayTokens>): Promise<GatewayTokens> {
    const landed = flight.finally(() => {
      if (this.#starting === landed) this.#starting = undefined;
    });
    this.#starting = landed;
    return landed;
  }

  async #restartAfter(
    before: Promise<GatewayTokens> | undefined,
    draining: Promise<void> | undefined,
  ): Promise<GatewayTokens> {
    await before?.catch(() => undefined);
    await draining?.catch(() => undefined);
    await this.#kept.enter("starting", "Ending the gateway before it", { failures: 0, reason: "", revived: [] });
    if (this.#host.running()) await this.#stop();
    return await this.#ensure();
  }

  /** Starts and ends wait only for what began before them: one that waited for a later one could wait for ever. */
  async #ensureAfter(draining: Promise<void> | undefined): Promise<GatewayTokens> {
    await draining?.catch(() => undefined);
    return await this.#ensure();
  }

  async #ensure(): Promise<GatewayTokens> {
    const record = await this.#kept.read();
    if (this.#host.running() && (await this.#stillAnswers(record.tokens)) && (await this.#accompanied(record.tokens))) {
      await this.#renew(record);
      if (record.phase !== "ready") await this.#kept.enter("ready", undefined);
      return record.tokens;
    }
    for (let failures = record.failures; ;) {
      if (failures >= MOST_FAILURES) throw this.#givenUp((await this.#kept.read()).reason);
      const started = Date.now();
      try {
        const tokens = await this.#start();
        log("info", "gateway.start", { outcome: "ready", ms: Date.now() - started });
        return tokens;
      } catch (error) {
        // A container that cannot be had just now says nothing about the gateway.
        if (error instanceof Failure && error.code === "unavailable") {
          await this.#kept.enter("asleep", undefined);
          throw error;
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

  async #start(): Promise<GatewayTokens> {
    const tokens = newTokens();
    const plan = this.#plan(tokens);
    // A gateway that no longer answers may still hold the port. Until it is gone, its tokens are the ones that count.
    if (this.#host.running()) await this.#stop();
    const { starts } = await this.#kept.read();
    await this.#kept.enter("restoring", PREPARING, { tokens, starts: starts + 1 });
    await this.#prepare(plan);
    await this.#kept.enter("starting", STARTING);
    for (const file of plan.files) await this.#host.write(file.path, file.content);
    await this.#host.start(`exec ${shellLine(plan.companion.argv)}`, COMPANION_ID, plan.companion.env);
    await this.#startBeside(tokens);
    await this.#host.start(`exec ${shellLine(plan.argv)}`, PROCESS_ID, plan.env);
    await this.#untilReady(tokens);
    await this.#kept.enter("ready", undefined, {
      failures: 0,
      reason: "",
      readySince: new Date().toISOString(),
      files: await sha256(JSON.stringify(plan.files)),
    });
    return tokens;
  }

  /** The settings may have changed since it was started: it watches its files, and takes over what it can by itself. */
  async #renew(record: GatewayRecord): Promise<void> {
    const { files } = this.#plan(record.tokens);
    const digest = await sha256(JSON.stringify(files));
    if (record.files === digest) return;
    for (const file of files) await this.#host.write(file.path, file.content);
    await this.#kept.change({ files: digest });
    log("info", "gateway.renew", { outcome: "ok" });
    await pause(TAKEN_OVER_MS);
  }

  async #prepare({ before }: GatewayPlan): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#host.shell(shellLine(before.argv), before.env);
    const said = redact(`${stdout}\n${stderr}`).trim();
    log(exitCode === 0 ? "info" : "error", "gateway.prepare", { outcome: exitCode, said });
    if (exitCode !== 0) throw new Failure("upstream", said || `Preparing the start failed with exit code ${exitCode}.`);
  }

  /** Whether the companion runs, if need be started again. False when it says that the gateway has to be, too. */
  async #accompanied(tokens: GatewayTokens): Promise<boolean> {
    const [companion] = await Promise.all([this.#host.process(COMPANION_ID), this.#startBeside(tokens)]);
    if (companion?.running) return true;
    log("warn", "gateway.companion", { outcome: "ended", exitCode: companion?.exitCode });
    if (companion?.exitCode === START_ANEW) return false;
    const { argv, env } = this.#plan(tokens).companion;
    await this.#host.start(`exec ${shellLine(argv)}`, COMPANION_ID, env);
    return true;
  }

  async #startBeside(tokens: GatewayTokens): Promise<void> {
    const missing = Object.entries(this.#plan(tokens).beside).map(async ([id, { argv, env }]) => {
      if ((await this.#host.process(id))?.running) return;
      await this.#host.start(`exec ${shellLine(argv)}`, id, env);
    });
    await Promise.all(missing);
  }

  async #untilReady(tokens: GatewayTokens): Promise<void> {
    const end = Date.now() + READY_WITHIN_MS;
    while (!(await this.#answers(tokens))) {
      const process = await this.#host.process(PROCESS_ID);
      if (!process?.running)
        throw await this.#diagnosed(
          `The gateway ended with exit code ${process?.exitCode ?? "unknown"}`,
          process?.exitCode,
        );
      if (Date.now() > end) throw await this.#diagnosed(`The gateway was not ready within ${READY_WITHIN_MS / 1000} s`);
      await pause(PROBE_EVERY_MS);
    }
  }

  /** On a busy machine a healthy gateway may be slow for a while; it is given up only when its process has ended. */
  async #stillAnswers(tokens: GatewayTokens): Promise<boolean> {
    const end = Date.now() + PATIENCE_MS;
    while (!(await this.#answers(tokens))) {
      if (Date.now() > end || !(await this.#host.process(PROCESS_ID))?.running) return false;
      await pause(PROBE_EVERY_MS);
    }
    return true;
  }

  async #answers(tokens: GatewayTokens): Promise<boolean> {
    const { port, readyPath } = this.#plan(tokens);
    try {
      const response = await this.#host.probe(port, readyPath, AbortSignal.timeout(3_000));
      await response.body?.cancel();
      return response.ok;
    } catch {
      // Nothing listens yet, or it hangs: both mean not ready.
      return false;
    }
  }

  /** The gateway first: what it writes at its end is the companion's to see. */
  async #stop(): Promise<void> {
    const { beside } = this.#plan((await this.#kept.read()).tokens);
    await this.#keepTail();
    // With a run in progress the gateway may take longer than that to end; killing it is safe.
    await Promise.all([PROCESS_ID, ...Object.keys(beside)].map((id) => endProcess(this.#host, id, STOP_WITHIN_MS)));
    await endProcess(this.#host, COMPANION_ID, COMPANION_STOP_WITHIN_MS);
  }

  async #diagnosed(what: string, exitCode?: number): Promise<Failure> {
    const tail = (await this.#keepTail()).slice(-LOG_LINES).join("\n");
    // 78 is EX_CONFIG: the same configuration fails the same way again.
    const code = exitCode === 78 ? "misconfigured" : "upstream";
    return new Failure(code, `${what}.${tail ? ` The end of its log:\n${tail}` : " Its log is empty."}`);
  }

  #givenUp(reason: string | undefined): Failure {
    return new Failure("given_up", `The Moltbot does not start and is not tried again. ${reason ?? ""}`.trim(), {
      hint: "Mend what the log says, then call bot_restart.",
    });
  }

  /** Before the process is gone, and its log with it. */
  async #keepTail(): Promise<string[]> {
    const lines = await this.#lastLines(TAIL_LINES);
    if (lines.length > 0) await this.#kept.change({ tail: lines });
    return lines;
  }

  async #lastLines(count: number): Promise<string[]> {
    const text = redact(await this.#host.logs(PROCESS_ID).catch(() => "")).trim();
    return text === "" ? [] : text.slice(-TAIL_CHARACTERS).split("\n").slice(-count);
  }
}
