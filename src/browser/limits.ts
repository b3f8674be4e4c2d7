/** Longest any one call on a browser may take. Clients give up after about a minute. */
export const MOST_CALL_MS = 45_000;
/** How long a page may load, or a wait last, when the caller names no time. */
export const DEFAULT_WAIT_MS = 15_000;
/** The longest time a caller may name: room is left for the answer. */
export const MOST_WAIT_MS = 40_000;

/** Characters of one answer that shows a page, unless more is asked for. */
export const SNAPSHOT_CHARACTERS = 8_000;
/** More is cut by clients. */
export const MOST_CHARACTERS = 22_000;

/** What clients accept of one image. Bytes. */
export const MOST_IMAGE_BYTES = 1_000_000;
/** Longer sides are scaled down by the models that look at the image. CSS pixels. */
export const MOST_IMAGE_SIDE = 1568;

/** What a call may carry of a file, either way. Bytes. */
export const MOST_INLINE_BYTES = 1_000_000;
/** What goes between a page and the sandbox at once: it passes through one message, and memory. Bytes. */
export const MOST_FILE_BYTES = 10_000_000;

/** A session that nobody uses is closed after this. Shorter than what the platform grants (10 minutes). */
export const IDLE_MS = 5 * 60_000;

export const VIEWPORT = { width: 1280, height: 800 } as const;

/** Characters that show a page which has just been opened. */
export const NEW_PAGE_CHARACTERS = 4_000;
/** How long a page may take to come to rest after a step, and after the last one. */
export const STEP_SETTLE_MS = 1_000;
export const LAST_SETTLE_MS = 3_000;
