import type { Failure, FailureView } from "../core/failure.ts";
import type { EndEvent } from "./event.ts";
import type { RunLog } from "./run-log.ts";
import type { Run } from "./run-store.ts";

/** A run that goes on, with what only matters until it ends. */
export class Turn {
  readonly run: Run;
  readonly log: RunLog;
  /** The gateway process that has it; undefined until it does. */
  boot: string | undefined;
  /** It may have put files into its answer: they are asked for at the end, which costs a call. */
  files: boolean;
  /** Those it said it attaches. */
  readonly attached = new Set<string>();
  /** Our message went into another run of the conversation, or the bot waits for one; its end is our end. */
  behind = false;
  /** From when its time is counted, Unix ms: it began, was taken up again, or had its answer from a person. */
  since = Date.now();
  /** How often it could not be brought to the gateway, or was cut off from it, since we last heard of it. */
  troubles = 0;
  lastTrouble: Failure | undefined;
  /** Someone is bringing it to the gateway now. */
  driving = false;
  /** The model that answered last; what the bridge says of it, for the gateway knows one name for all. */
  model: string | undefined;
  /** No model answered, and why: the gateway tells it in words of its own, which do not help. */
  modelFailure: FailureView | undefined;
  /** Its outcome is known and being written down. */
  ending = false;

  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  #resolve: () => void = () => {};

  constructor(run: Run, log: RunLog) {
    this.run = run;
    this.boot = run.boot ?? undefined;
    this.log = log;
    // One that was taken up again may have used tools before.
    this.files = this.boot !== undefined;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get over(): boolean {
    return this.ending || this.log.ended;
  }

  trouble(failure: Failure): void {
    this.troubles += 1;
    this.lastTrouble = failure;
  }

  calm(): void {
    this.troubles = 0;
    this.lastTrouble = undefined;
  }

  tool(event: { id: string; name: string; phase: "start" | "end"; detail: string; ok: boolean }): void {
    const { id, name, phase, ok } = event;
    // A repetition, or the end of one whose beginning we missed.
    if (this.log.tools.has(id) === (phase === "start")) return;
    this.files = true;
    const detail = event.detail === "" ? {} : { detail: event.detail };
    this.log.append({ type: "tool", id, name, phase, ...detail, ...(phase === "end" ? { ok } : {}) });
  }

  /** Tools whose end was not heard are ended without an outcome, then the run is. */
  end(event: EndEvent): void {
    for (const [id, name] of this.log.tools) this.log.append({ type: "tool", id, name, phase: "end" });
    const model = this.model === undefined ? {} : { model: this.model };
    const failed = event.status === "failed" && this.modelFailure ? { error: this.modelFailure } : {};
    this.log.end({ ...event, ...model, ...failed });
    this.#resolve();
  }
}
