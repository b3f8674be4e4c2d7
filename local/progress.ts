const TICK_MS = 1000;

/** One line per long step: what, the seconds so far, and how long it took. Off a terminal only the result is printed. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  const live = process.stderr.isTTY;
  const show = () => process.stderr.write(`\r· ${what} … ${seconds()} s`);
  if (live) show();
  const ticking = live ? setInterval(show, TICK_MS) : undefined;
  try {
    const result = await work();
    process.stderr.write(`${live ? "\r" : ""}· ${what} … ${seconds()} s\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${live ? "\r" : ""}· ${what} … failed after ${seconds()} s\n`);
    throw error;
  } finally {
    clearInterval(ticking);
  }
}
