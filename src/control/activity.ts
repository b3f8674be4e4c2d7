/**
 * What an open Control UI asks for by itself, with nobody at it: measured with openclaw 2026.9.6, and everything of the
 * same kind. All other requests count as a person's.
 */
const BY_ITSELF = new Set(["connect"]);

/** What a run under way says of itself. */
const RUN_EVENTS = new Set(["agent", "chat"]);

/** The head of a frame says what it is; what follows may be megabytes long. */
const HEAD = 400;

/** Whether a frame of the browser's shows that a person uses the page. */
export function isPersonsFrame(frame: string | ArrayBuffer): boolean {
  if (typeof frame !== "string") return true;
  const method = /"method"\s*:\s*"([^"]*)"/.exec(frame.slice(0, HEAD))?.[1];
  return method !== undefined && !BY_ITSELF.has(method);
}

/** Whether a frame of the gateway's shows that a run is under way, which sleep would end. */
export function isRunsFrame(frame: string | ArrayBuffer): boolean {
  if (typeof frame !== "string") return false;
  const event = /"event"\s*:\s*"([^"]*)"/.exec(frame.slice(0, HEAD))?.[1];
  return event !== undefined && RUN_EVENTS.has(event);
}
