import { pause } from "../core/deadline.ts";
import { sha256 } from "../core/digest.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { redact } from "../core/redact.ts";
import { shellLine } from "../core/shell.ts";
import type { Companions } from "./companions.ts";
import { GATEWAY_ID, type GatewayLog } from "./gateway-log.ts";
import type { GatewayPlan, GatewayTokens } from "./gateway-plan.ts";
import { endProcess, type GatewayHost, stateOf } from "./processes.ts";
import { type GatewayRecord, type KeptRecord, newTokens } from "./record.ts";

/** Measured at 7 to 45 s; on a machine that is far too busy it was over two minutes, and to begin again makes that no better. */
const READY_WITHIN_MS = 180_000;
const PREPARED_WITHIN_MS = 15 * 60 * 1000;
const LOOK_EVERY_MS = 100;
const PROBE_EVERY_MS = 150;
/** Whether its process is there costs more to find out than whether it answers. */
const PROBES_PER_LOOK = 6;
/** How long a running gateway that does not answer is waited for before it is replaced. */
const PATIENCE_MS = 10_000;
const STOP_WITHIN_MS = 8_000;
/** In this time the gateway sees that its files have changed; measured at 0.3 to 0.8 s. */
const TAKEN_OVER_MS = 1_500;
const PREPARE_ID = "prepare";
const PREPARING = "Putting the memory back";
const STARTING = "Starting the gateway";

interface Parts {
  host: GatewayHost;
  plan: (tokens: GatewayTokens) => GatewayPlan;
  kept: KeptRecord;
  companions: Companions;
  log: GatewayLog;
}

/** A start of the gateway and its end, step by step; the record says where it is. */
export class GatewayBoot {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async start(): Promise<GatewayTokens> {
    const { host, kept, companions } = this.#parts;
    const tokens = newTokens();
    const plan = this.#parts.plan(tokens);
    // A gateway that no longer answers may still hold the port. Until it is gone, its tokens are the ones that count.
    if (host.running()) await this.stop();
    const { starts } = await kept.read();
    await kept.enter("restoring", PREPARING, { tokens, starts: starts + 1 });
    await this.#prepare(plan);
    await kept.enter("starting", STARTING);
    for (const file of plan.files) await host.write(file.path, file.content);
    await companions.start(tokens);
    await host.start(`exec ${shellLine(plan.argv)}`, GATEWAY_ID, plan.env);
    await this.#untilReady(tokens);
    await this.#isReady(plan);
    return tokens;
  }

  /** Goes on with a start that an earlier life of the object began. False when there is nothing to go on with. */
  async goOn({ tokens, phase }: GatewayRecord): Promise<boolean> {
    const { host, companions } = this.#parts;
    if (phase !== "starting" || !(await stateOf(host, GATEWAY_ID)).running) return false;
    if (!(await companions.mend(tokens))) return false;
    await this.#untilReady(tokens);
    await this.#isReady(this.#parts.plan(tokens));
    log("info", "gateway.start", { outcome: "taken up" });
    return true;
  }

  /** The settings may have changed since it was started: it watches its files, and takes over what it can by itself. */
  async renew(record: GatewayRecord): Promise<void> {
    const { host, kept } = this.#parts;
    const { files } = this.#parts.plan(record.tokens);
    const digest = await digestOf(files);
    if (record.files === digest) return;
    for (const file of files) await host.write(file.path, file.content);
    await kept.change({ files: digest });
    log("info", "gateway.renew", { outcome: "ok" });
    await pause(TAKEN_OVER_MS);
  }

  /** The gateway first: what it writes at its end is the companion's to see. */
  async stop(): Promise<void> {
    const { host, companions } = this.#parts;
    await this.#parts.log.keepTail();
    // With a run in progress the gateway may take longer than that to end; killing it is safe.
    await Promise.all([
      endProcess(host, GATEWAY_ID, STOP_WITHIN_MS),
      endProcess(host, PREPARE_ID, STOP_WITHIN_MS),
      companions.stopBeside(),
    ]);
    await companions.stopCompanion();
  }

  /** On a busy machine a healthy gateway may be slow for a while; it is given up at once only when its process has ended. */
  async stillAnswers(tokens: GatewayTokens): Promise<boolean> {
    const end = Date.now() + PATIENCE_MS;
    while (!(await this.answers(tokens))) {
      if (Date.now() > end || !(await stateOf(this.#parts.host, GATEWAY_ID)).running) return false;
      await pause(PROBE_EVERY_MS);
    }
    return true;
  }

  async answers(tokens: GatewayTokens): Promise<boolean> {
    const { port, readyPath } = this.#parts.plan(tokens);
    try {
      const response = await this.#parts.host.probe(port, readyPath, AbortSignal.timeout(3_000));
      await response.body?.cancel();
      return response.ok;
    } catch {
      // Nothing listens yet, or it hangs: both mean not ready.
      return false;
    }
  }

  /** A process with a name, so that one which an interrupted start left behind can be ended before it is started again. */
  async #prepare({ before }: GatewayPlan): Promise<void> {
    const { host } = this.#parts;
    await host.start(`exec ${shellLine(before.argv)}`, PREPARE_ID, before.env);
    const end = Date.now() + PREPARED_WITHIN_MS;
    let state = await stateOf(host, PREPARE_ID);
    while (state.running && Date.now() < end) {
      await pause(LOOK_EVERY_MS);
      state = await stateOf(host, PREPARE_ID);
    }
    const said = redact(await host.logs(PREPARE_ID).catch(() => "")).trim();
    const { exitCode } = state;
    log(exitCode === 0 ? "info" : "error", "gateway.prepare", { outcome: exitCode ?? "no end", said });
    if (exitCode === 0) return;
    throw new Failure("upstream", said || `Preparing the start failed with exit code ${exitCode ?? "unknown"}.`);
  }

  async #untilReady(tokens: GatewayTokens): Promise<void> {
    const end = Date.now() + READY_WITHIN_MS;
    for (let probe = 0; !(await this.answers(tokens)); probe++) {
      if (probe % PROBES_PER_LOOK === 0) {
        const { running, exitCode } = await stateOf(this.#parts.host, GATEWAY_ID);
        if (!running)
          throw await this.#parts.log.diagnosed(`The gateway ended with exit code ${exitCode ?? "unknown"}`, exitCode);
      }
      if (Date.now() > end)
        throw await this.#parts.log.diagnosed(`The gateway was not ready within ${READY_WITHIN_MS / 1000} s`);
      await pause(PROBE_EVERY_MS);
    }
  }

  async #isReady(plan: GatewayPlan): Promise<void> {
    const readySince = new Date().toISOString();
    const files = await digestOf(plan.files);
    await this.#parts.kept.enter("ready", undefined, { failures: 0, reason: "", readySince, files });
    this.#parts.host.started();
  }
}

function digestOf(files: GatewayPlan["files"]): Promise<string> {
  return sha256(JSON.stringify(files));
}
