/**
 * The last words of the methods by which the Control UI only looks. An open page looks by itself: when it connects, when it
 * hears of a change, and now and then (seen with openclaw 2026.9.6). All other methods are for what somebody does: a
 * message, a decision, a setting, the step to another conversation (`sessions.viewers.set`).
 */
const LOOKS = new Set([
  "authStatus",
  "catalog",
  "connect",
  "defaults",
  "describe",
  "get",
  "health",
  "history",
  "info",
  "list",
  "metadata",
  "ping",
  "preview",
  "refresh",
  "snapshot",
  "startup",
  "state",
  "status",
  "subscribe",
  "tail",
  "unsubscribe",
  "usage",
]);

/** What a run under way says of itself. */
const RUN_EVENTS = new Set(["agent", "chat"]);

/** The head of a frame says what it is; what follows may be megabytes long. */
const HEAD = 400;

/** Whether a frame of the browser's shows that a person does something there. */
export function isPersonsFrame(frame: string | ArrayBuffer): boolean {
  if (typeof frame !== "string") return true;
  const method = /"method"\s*:\s*"([^"]*)"/.exec(frame.slice(0, HEAD))?.[1];
  return method !== undefined && !LOOKS.has(method.slice(method.lastIndexOf(".") + 1));
}

/** Whether a frame of the gateway's shows that a run is under way, which sleep would end. */
export function isRunsFrame(frame: string | ArrayBuffer): boolean {
  if (typeof frame !== "string") return false;
  const event = /"event"\s*:\s*"([^"]*)"/.exec(frame.slice(0, HEAD))?.[1];
  return event !== undefined && RUN_EVENTS.has(event);
}
