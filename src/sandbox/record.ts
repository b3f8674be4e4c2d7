import { hex, randomBytes } from "../core/encoding.ts";
import type { GatewayTokens } from "./gateway-plan.ts";
import type { Phase } from "./lifecycle.ts";

const RECORD = "moltbot:gateway";

/** What the object says of itself; "unresponsive" is only ever observed. */
export type KeptPhase = Exclude<Phase, "unresponsive">;

/** What is kept of the gateway, so that an object that was made anew knows where it was. */
export interface GatewayRecord {
  tokens: GatewayTokens;
  starts: number;
  failures: number;
  reason?: string;
  readySince?: string;
  /** SHA-256 of the files as it was last given them. */
  files?: string;
  /** Absent in a record of a bot that was set up before this was kept. */
  phase?: KeptPhase;
  /** Since when it is in this phase, ISO 8601. */
  since?: string;
  /** What is being done just now, for people. */
  step?: string;
  /** The end of the last run's log, redacted. */
  tail?: string[];
  /** When it was started again because it had died, in milliseconds, the last ones. */
  revived?: number[];
  /** When its companion had ended and was started again, in milliseconds, the last ones. */
  companionEnds?: { at: number; exitCode?: number }[];
}

export interface RecordStorage {
  get(key: string): Promise<GatewayRecord | undefined>;
  put(key: string, value: GatewayRecord): Promise<void>;
}

/** The one record of the gateway: read once, written at each step. */
export class KeptRecord {
  readonly #storage: RecordStorage;
  #record: GatewayRecord | undefined;

  constructor(storage: RecordStorage) {
    this.#storage = storage;
  }

  async read(): Promise<GatewayRecord> {
    this.#record ??= (await this.#storage.get(RECORD)) ?? { tokens: newTokens(), starts: 0, failures: 0 };
    return this.#record;
  }

  async change(patch: Partial<GatewayRecord>): Promise<GatewayRecord> {
    this.#record = { ...(await this.read()), ...patch };
    await this.#storage.put(RECORD, this.#record);
    return this.#record;
  }

  /** A new phase, or a new step of the same. */
  async enter(phase: KeptPhase, step: string | undefined, patch: Partial<GatewayRecord> = {}): Promise<GatewayRecord> {
    const { step: _before, ...record } = await this.read();
    const since = record.phase === phase && record.since ? record.since : new Date().toISOString();
    this.#record = { ...record, phase, since, ...(step ? { step } : {}), ...patch };
    await this.#storage.put(RECORD, this.#record);
    return this.#record;
  }
}

export function newTokens(): GatewayTokens {
  return { gateway: hex(randomBytes(24)), bridge: hex(randomBytes(24)) };
}
