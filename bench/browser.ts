import { startPlaywright } from "../test/browser/playwright.ts";
import { startBrowserStack } from "../test/browser/stack.ts";
import { compare, table } from "./measure.ts";

const SESSIONS = 200;
const ROUNDS = 20;
/** What a look at a page of 200 rows may take. Milliseconds. */
const MOST_SNAPSHOT_MS = 250;

/** The person's browser beside playwright-mcp, on the same Chromium and the held pages; then how many sessions are left. */
export async function benchBrowser(): Promise<string> {
  const stack = await startBrowserStack();
  const peer = await startPlaywright(stack.chromium);
  try {
    const url = `${stack.pages.url}/admin`;
    await stack.call("navigate", { url });
    await peer.call("browser_navigate", { url });
    const rows = [
      await compare({
        name: "browser_snapshot of 200 rows : playwright-mcp",
        target: 1,
        ours: () => stack.call("snapshot"),
        peer: () => peer.call("browser_snapshot"),
        rounds: ROUNDS,
      }),
      await compare({
        name: "browser_screenshot : playwright-mcp",
        target: 1.5,
        ours: () => stack.call("screenshot"),
        peer: () => peer.call("browser_take_screenshot", { type: "jpeg" }),
        rounds: ROUNDS,
      }),
    ];
    const ms = rows[0]?.oursMs ?? Number.NaN;
    const said = `browser_snapshot of 200 rows: ${ms.toFixed(0)} ms, at most ${MOST_SNAPSHOT_MS}  ${ms <= MOST_SNAPSHOT_MS ? "ok" : "OVER"}`;
    await stack.call("session", { do: "close" });
    return `${table(rows)}\n${said}\n${await leaked(stack)}`;
  } finally {
    await peer.close();
    await stack.close();
  }
}

/** Opens and closes many sessions, one after the other, and counts the browsers that are still there. */
async function leaked(stack: Awaited<ReturnType<typeof startBrowserStack>>): Promise<string> {
  const started = performance.now();
  for (let n = 0; n < SESSIONS; n++) {
    const { failure } = await stack.call("navigate", { url: `${stack.pages.url}/inner` }, `person ${n}`);
    if (failure) throw new Error(failure.message);
    await stack.call("session", { do: "close" }, `person ${n}`);
  }
  const each = ((performance.now() - started) / SESSIONS).toFixed(0);
  // The last one may still be ending.
  for (let turn = 0; turn < 50 && (await stack.sessions()) > 0; turn++)
    await new Promise((done) => setTimeout(done, 200));
  const left = await stack.sessions();
  return `${SESSIONS} sessions opened and closed, ${each} ms each: ${left} left  ${left === 0 ? "ok" : "LEAKED"}`;
}
