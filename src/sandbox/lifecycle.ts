import type { Reply } from "../core/reply.ts";

/**
 * Where the bot is between asleep and ready. "restoring": its memory is being put back. "unresponsive": its process is
 * there and does not answer. "draining": it ends in order, its last changes being kept.
 */
export type Phase = "asleep" | "restoring" | "starting" | "ready" | "unresponsive" | "draining" | "failed";

export interface GatewayStatus {
  phase: Phase;
  /** Since when it is in this phase, ISO 8601. Absent for a phase it was in before this was kept. */
  since?: string;
  /** What is being done just now, for people: "Putting the memory back". */
  step?: string;
  /** How often the gateway was started since this bot was set up. */
  starts: number;
  /** Since when the gateway is ready, ISO 8601. */
  readySince?: string;
  /** Why it does not start. */
  reason?: string;
  /** What is wrong although it runs, for people. */
  problem?: string;
}

/** How long the container was up, and what that costs by list prices: an estimate. */
export interface Uptime {
  /** "2026-11", in UTC. */
  month: string;
  awakeHours: number;
  /** Of the container, in this month. */
  starts: number;
  usd: number;
  /** Undefined: no cap. */
  capHours?: number;
  /** As the settings say: a duration such as "10m", or "never". */
  sleepAfter: string;
}

/** What can be done with the bot as a whole. Only `gatewayReady`, `gatewayStart` and `gatewayRestart` start anything. */
export interface BotLifecycle {
  gatewayStatus(): Promise<Reply<GatewayStatus>>;
  /** Begins a start where one is needed, one of a gateway that hangs included, and does not wait for it. */
  gatewayStart(): Promise<Reply<GatewayStatus>>;
  /** Stops the gateway, forgets earlier failures, starts it, and waits for it. */
  gatewayRestart(): Promise<Reply<unknown>>;
  /** Ends the gateway in order and stops the container, and returns when it has stopped; it wakes when somebody needs it. */
  sleep(): Promise<Reply<void>>;
  /** The last lines of the gateway's log, redacted; of the last run when it does not run now. */
  gatewayLog(lines: number): Promise<Reply<{ lines: string[]; running: boolean }>>;
  uptime(): Promise<Reply<Uptime>>;
}
