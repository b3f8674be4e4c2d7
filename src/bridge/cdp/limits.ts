export interface BridgeLimits {
  /** How long a browser is kept that nobody is connected to. */
  unusedMs: number;
  /** How long one is kept whose clients say nothing. */
  silentMs: number;
}

export const BRIDGE_LIMITS: BridgeLimits = { unusedMs: 60_000, silentMs: 600_000 };
