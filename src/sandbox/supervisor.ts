import { pause } from "../core/deadline.ts";
import { hex, randomBytes } from "../core/encoding.ts";
import { sha256 } from "../core/digest.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { redact } from "../core/redact.ts";
import { shellLine } from "../core/shell.ts";
import type { GatewayPlan, GatewayTokens } from "./gateway-plan.ts";
import type { GatewayStatus, Uptime } from "./lifecycle.ts";
import type { ShellResult } from "./results.ts";

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
const RECORD = "moltbot:gateway";

export interface GatewayRecord {
  tokens: GatewayTokens;
  starts: number;
  failures: number;
  reason?: string;
  readySince?: string;
  /** SHA-256 of the files as it was last given them. */
  files?: string;
}

/** What the supervisor needs of the container; the Sandbox object implements it. */
export interface GatewayHost {
  storage: {
    get(key: string): Promise<GatewayRecord | undefined>;
    put(key: string, value: GatewayRecord): Promise<void>;
  };
  running(): boolean;
  /** HTTP to a port of the running container; throws when nothing listens. Never starts the container. */
  probe(port: number, path: string, signal: AbortSignal): Promise<Response>;
  write(path: string, content: string): Promise<void>;
  start(command: string, id: string, env: Record<string, string>): Promise<void>;
  /** Undefined when no such process is known. */
  process(id: string): Promise<{ pid: number | undefined; running: boolean; exitCode: number | undefined } | undefined>;
  logs(id: string): Promise<string>;
  shell(command: string, env?: Record<string, string>): Promise<ShellResult>;
}

/** Starts the gateway once however many ask, watches it come up, and says why when it does not. */
export class GatewaySupervisor {
  readonly #host: GatewayHost;
  readonly #plan: (tokens: GatewayTokens) => GatewayPlan;
  #starting: Promise<GatewayTokens> | undefined;
  #record: GatewayRecord | undefined;

  constructor(host: GatewayHost, plan: (tokens: GatewayTokens) => GatewayPlan) {
    this.#host = host;
    this.#plan = plan;
  }

  /** The tokens of a gateway that answers, started when it has to be. */
  ready(): Promise<GatewayTokens> {
    return this.#starting ?? this.#fly(this.#ensure());
  }

  /** Stops the gateway, forgets earlier failures, and starts it. */
  restart(): Promise<GatewayTokens> {
    return this.#fly(this.#restartAfter(this.#starting));
  }

  /** Stops the gateway in order, so that nothing of it is lost when the container is stopped next. */
  async rest(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    if (this.#host.running()) await this.#stop();
  }

  async status(): Promise<GatewayStatus> {
    const record = await this.#read();
    const { starts, failures, reason, readySince } = record;
    if (this.#starting) return { phase: "starting", starts };
    if (failures >= MOST_FAILURES) return { phase: "failed", starts, ...(reason ? { reason } : {}) };
    if (!this.#host.running()) return { phase: "asleep", starts };
    if (!(await this.#answers(record.tokens))) {
      return { phase: (await this.#host.process(PROCESS_ID))?.running ? "unresponsive" : "asleep", starts };
    }
    return { phase: "ready", starts, ...(readySince ? { readySince } : {}) };
  }

  async log(lines: number): Promise<{ lines: string[]; running: boolean }> {
    if (!this.#host.running()) return { lines: [], running: false };
    const text = await this.#host.logs(PROCESS_ID).catch(() => "");
    return { lines: redact(text).trimEnd().split("\n").slice(-lines), running: true };
  }

  async uptime(): Promise<Uptime> {
    const { starts } = await this.#read();
    return { month: new Date().toISOString().slice(0, 7), awakeHours: 0, starts, usd: 0, sleepAfter: "10m" };
  }

  /** The present tokens; the bridge compares what it is shown with them. */
  async tokens(): Promise<GatewayTokens> {
    return (await this.#read()).tokens;
  }

  /** Whoever asks meanwhile waits for the same; stopping is part of it, or a start could meet a gateway half gone. */
  #fly(flight: Promise<GatewayTokens>): Promise<GatewayTokens> {
    const landed = flight.finally(() => {
      if (this.#starting === landed) this.#starting = undefined;
    });
    this.#starting = landed;
    return landed;
  }

  async #restartAfter(before: Promise<GatewayTokens> | undefined): Promise<GatewayTokens> {
    await before?.catch(() => undefined);
    const record = await this.#read();
    await this.#write({ tokens: record.tokens, starts: record.starts, failures: 0 });
    if (this.#host.running()) await this.#stop();
    return await this.#ensure();
  }

  async #ensure(): Promise<GatewayTokens> {
    const record = await this.#read();
    if (this.#host.running() && (await this.#stillAnswers(record.tokens)) && (await this.#accompanied(record.tokens))) {
      await this.#renew(record);
      return record.tokens;
    }
    for (let failures = record.failures; ;) {
      if (failures >= MOST_FAILURES) throw this.#givenUp((await this.#read()).reason);
      const started = Date.now();
      try {
        const tokens = await this.#start();
        log("info", "gateway.start", { outcome: "ready", ms: Date.now() - started });
        return tokens;
      } catch (error) {
        // A container that cannot be had just now says nothing about the gateway.
        if (error instanceof Failure && error.code === "unavailable") throw error;
        const reason = error instanceof Failure ? error.message : "The container could not be started.";
        const fatal = error instanceof Failure && error.code === "misconfigured";
        failures = fatal ? MOST_FAILURES : failures + 1;
        await this.#write({ ...(await this.#read()), failures, reason });
        log("error", "gateway.start", { outcome: "failed", failures, ms: Date.now() - started, cause: error });
        await pause(500 * failures);
      }
    }
  }

  async #start(): Promise<GatewayTokens> {
    const record = await this.#read();
    const tokens = { gateway: randomToken(), bridge: randomToken() };
    const plan = this.#plan(tokens);
    // A gateway that no longer answers may still hold the port. Until it is gone, its tokens are the ones that count.
    if (this.#host.running()) await this.#stop();
    await this.#write({ tokens, starts: record.starts + 1, failures: record.failures });
    await this.#prepare(plan);
    for (const file of plan.files) await this.#host.write(file.path, file.content);
    await this.#host.start(`exec ${shellLine(plan.companion.argv)}`, COMPANION_ID, plan.companion.env);
    await this.#startBeside(tokens);
    await this.#host.start(`exec ${shellLine(plan.argv)}`, PROCESS_ID, plan.env);
    await this.#untilReady(tokens);
    await this.#write({
      tokens,
      starts: record.starts + 1,
      failures: 0,
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
    await this.#write({ ...record, files: digest });
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
    const { beside } = this.#plan((await this.#read()).tokens);
    // With a run in progress the gateway may take longer than that to end; killing it is safe.
    await Promise.all([PROCESS_ID, ...Object.keys(beside)].map((id) => this.#end(id, STOP_WITHIN_MS)));
    await this.#end(COMPANION_ID, COMPANION_STOP_WITHIN_MS);
  }

  async #end(id: string, withinMs: number): Promise<void> {
    const before = await this.#host.process(id);
    if (!before?.running || before.pid === undefined) return;
    const { pid } = before;
    // Not by the container's own way of ending a process, which allows it no time.
    await this.#signal("TERM", pid);
    const end = Date.now() + withinMs;
    while (Date.now() < end && (await this.#host.process(id))?.running) await pause(100);
    // Also when it has ended: what it had started may go on.
    await this.#signal("KILL", pid);
    while (Date.now() < end + 2_000 && (await this.#host.process(id))?.running) await pause(100);
  }

  /** To the process and all of its group, where it leads one. */
  async #signal(signal: "TERM" | "KILL", pid: number): Promise<void> {
    await this.#host.shell(`kill -${signal} -- -${pid} 2>/dev/null || kill -${signal} ${pid} 2>/dev/null`);
  }

  async #diagnosed(what: string, exitCode?: number): Promise<Failure> {
    const text = await this.#host.logs(PROCESS_ID).catch(() => "");
    const tail = redact(text).trim().split("\n").slice(-LOG_LINES).join("\n");
    // 78 is EX_CONFIG: the same configuration fails the same way again.
    const code = exitCode === 78 ? "misconfigured" : "upstream";
    return new Failure(code, `${what}.${tail ? ` The end of its log:\n${tail}` : " Its log is empty."}`);
  }

  #givenUp(reason: string | undefined): Failure {
    return new Failure("given_up", `The Moltbot does not start and is not tried again. ${reason ?? ""}`.trim(), {
      hint: "Mend what the log says, then call bot_restart.",
    });
  }

  async #read(): Promise<GatewayRecord> {
    this.#record ??= (await this.#host.storage.get(RECORD)) ?? {
      tokens: { gateway: randomToken(), bridge: randomToken() },
      starts: 0,
      failures: 0,
    };
    return this.#record;
  }

  async #write(record: GatewayRecord): Promise<void> {
    this.#record = record;
    await this.#host.storage.put(RECORD, record);
  }
}

function randomToken(): string {
  return hex(randomBytes(24));
}
