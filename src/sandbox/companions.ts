import { log } from "../core/log.ts";
import { shellLine } from "../core/shell.ts";
import type { GatewayPlan, GatewayTokens } from "./gateway-plan.ts";
import { endProcess, type GatewayHost } from "./processes.ts";
import type { KeptRecord } from "./record.ts";

/** The companion's word that the gateway has to be started anew. */
const START_ANEW = 3;
const COMPANION_ID = "companion";
/** The companion has work left to do when the gateway is gone. */
const COMPANION_STOP_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 8_000;
/** How long a companion's end is told of. */
const TOLD_MS = 10 * 60 * 1000;

/** What runs beside the gateway: the companion, which keeps its memory, and whatever else the plan names. */
export class Companions {
  readonly #host: GatewayHost;
  readonly #plan: (tokens: GatewayTokens) => GatewayPlan;
  readonly #kept: KeptRecord;
  #mending: Promise<boolean> | undefined;

  constructor(host: GatewayHost, plan: (tokens: GatewayTokens) => GatewayPlan, kept: KeptRecord) {
    this.#host = host;
    this.#plan = plan;
    this.#kept = kept;
  }

  async start(tokens: GatewayTokens): Promise<void> {
    await this.#startCompanion(tokens);
    await this.#startBeside(tokens);
  }

  /** Starts again what has ended. False when the companion says that the gateway has to be started anew, too. */
  mend(tokens: GatewayTokens): Promise<boolean> {
    this.#mending ??= this.#mend(tokens).finally(() => {
      this.#mending = undefined;
    });
    return this.#mending;
  }

  /** What else runs ends with the gateway; the companion sees what that wrote at its end, so it comes last. */
  async stopBeside(): Promise<void> {
    const { beside } = this.#plan((await this.#kept.read()).tokens);
    await Promise.all(Object.keys(beside).map((id) => endProcess(this.#host, id, STOP_WITHIN_MS)));
  }

  async stopCompanion(): Promise<void> {
    await endProcess(this.#host, COMPANION_ID, COMPANION_STOP_WITHIN_MS);
  }

  /** What is to be told of it, for people. */
  async problem(now: number): Promise<string | undefined> {
    const { companionEnds = [] } = await this.#kept.read();
    const lately = companionEnds.filter(({ at }) => at > now - TOLD_MS);
    const last = lately.at(-1);
    if (!last) return undefined;
    const how = last.exitCode === undefined ? "" : `, the last time with exit code ${last.exitCode}`;
    return `What keeps the memory has ended ${lately.length} times within 10 minutes${how}, and was started again.`;
  }

  async #mend(tokens: GatewayTokens): Promise<boolean> {
    const [companion] = await Promise.all([this.#host.process(COMPANION_ID), this.#startBeside(tokens)]);
    if (companion?.running) return true;
    log("warn", "gateway.companion", { outcome: "ended", exitCode: companion?.exitCode });
    if (companion?.exitCode === START_ANEW) return false;
    const { companionEnds = [] } = await this.#kept.read();
    const end = { at: Date.now(), ...(companion?.exitCode === undefined ? {} : { exitCode: companion.exitCode }) };
    await this.#kept.change({ companionEnds: [...companionEnds, end].filter(({ at }) => at > end.at - TOLD_MS) });
    await this.#startCompanion(tokens);
    return true;
  }

  async #startCompanion(tokens: GatewayTokens): Promise<void> {
    const { argv, env } = this.#plan(tokens).companion;
    await this.#host.start(`exec ${shellLine(argv)}`, COMPANION_ID, env);
  }

  async #startBeside(tokens: GatewayTokens): Promise<void> {
    const missing = Object.entries(this.#plan(tokens).beside).map(async ([id, { argv, env }]) => {
      if ((await this.#host.process(id))?.running) return;
      await this.#host.start(`exec ${shellLine(argv)}`, id, env);
    });
    await Promise.all(missing);
  }
}
