import { RUN_TIMEOUT_SECONDS } from "../gateway/config.ts";

export interface ChatLimits {
  /** A run that the gateway has not ended by then is given up. ms. */
  runMs: number;
  /** With nothing to do, the connection to the gateway closes after this, so that the object can sleep. ms. */
  idleMs: number;
  /** While runs go on, the object wakes this often: an evicted one picks them up again. ms. */
  watchMs: number;
  /** How long the gateway may take to confirm that runs are stopped, when it is about to stop itself. ms. */
  endWithinMs: number;
  /** Waits between attempts to reach the gateway for a run. ms. */
  retryMs: readonly number[];
  /** Ended runs are kept this long, and this many. ms. */
  keepMs: number;
  keepRuns: number;
  /** Messages of one conversation that may wait behind the one being answered. */
  queue: number;
  /** Bytes of a picture that is sent along, and how many of one answer. */
  imageBytes: number;
  images: number;
}

export const CHAT_LIMITS: ChatLimits = {
  // The gateway ends a run itself at its own limit; the margin is for the time it takes to do so.
  runMs: (RUN_TIMEOUT_SECONDS + 30) * 1000,
  idleMs: 60_000,
  watchMs: 30_000,
  endWithinMs: 4_000,
  retryMs: [0, 250, 1_000, 3_000, 8_000],
  keepMs: 24 * 60 * 60 * 1000,
  keepRuns: 1_000,
  queue: 10,
  imageBytes: 1_000_000,
  images: 8,
};
