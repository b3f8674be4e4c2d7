import { Failure } from "../core/failure.ts";
import { redact } from "../core/redact.ts";
import type { GatewayHost } from "./processes.ts";
import type { KeptRecord } from "./record.ts";

export const GATEWAY_ID = "gateway";
/** How much of the last run's log is kept for when nothing runs. */
const TAIL_LINES = 200;
const TAIL_CHARACTERS = 32_000;
/** How much of it a reason quotes. */
const QUOTED_LINES = 15;
/** EX_CONFIG: the same configuration fails the same way again. */
const BAD_CONFIG = 78;
/** It ends with that code as well when a step of its own took too long, as on a busy machine: the next time it need not. */
const TOO_SLOW = /heartbeat did not become ready|timed out/i;

/** What the gateway says of itself, redacted. */
export class GatewayLog {
  readonly #host: GatewayHost;
  readonly #kept: KeptRecord;

  constructor(host: GatewayHost, kept: KeptRecord) {
    this.#host = host;
    this.#kept = kept;
  }

  async lines(count: number): Promise<{ lines: string[]; running: boolean }> {
    const { tail = [] } = await this.#kept.read();
    const past = { lines: tail.slice(-count), running: false };
    if (!this.#host.running()) return past;
    const running = (await this.#host.process(GATEWAY_ID))?.running ?? false;
    return running ? { lines: await this.#last(count), running } : past;
  }

  /** Before the process is gone, and its log with it. */
  async keepTail(): Promise<string[]> {
    const lines = await this.#last(TAIL_LINES);
    if (lines.length > 0) await this.#kept.change({ tail: lines });
    return lines;
  }

  /** Why it did not come up, with the end of its log. */
  async diagnosed(what: string, exitCode?: number): Promise<Failure> {
    const tail = (await this.keepTail()).slice(-QUOTED_LINES).join("\n");
    const code = exitCode === BAD_CONFIG && !TOO_SLOW.test(tail) ? "misconfigured" : "upstream";
    return new Failure(code, `${what}.${tail ? ` The end of its log:\n${tail}` : " Its log is empty."}`);
  }

  async #last(count: number): Promise<string[]> {
    const text = redact(await this.#host.logs(GATEWAY_ID).catch(() => "")).trim();
    return text === "" ? [] : text.slice(-TAIL_CHARACTERS).split("\n").slice(-count);
  }
}
