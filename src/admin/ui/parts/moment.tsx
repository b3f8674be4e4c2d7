import { useSyncExternalStore } from "react";
import { ago } from "./words.ts";

const TICK_MS = 10_000;

/** How long ago, with the exact time behind it. */
export function Moment({ at }: { at: Date }) {
  const now = useSyncExternalStore(everyTick, currentTick) * TICK_MS;
  // An answer is fresher than the last tick.
  const text = ago(at, Math.max(now, Math.min(at.getTime(), now + TICK_MS)));
  return (
    <time dateTime={at.toISOString()} title={at.toLocaleString()}>
      {text}
    </time>
  );
}

/** One beat for all, and none while the page is hidden. */
function everyTick(changed: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") changed();
  }, TICK_MS);
  return () => clearInterval(timer);
}

function currentTick(): number {
  return Math.floor(Date.now() / TICK_MS);
}
