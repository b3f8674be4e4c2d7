import { spawn } from "node:child_process";
import { join } from "node:path";
import { argv, exit, stderr, stdout } from "node:process";

const ROOT = join(import.meta.dirname, "..");

/**
 * `npm test`. Two runs side by side, each with its files one after the other: most of what they do is wait for a gateway,
 * and files that share one must not overlap. With arguments it is one run of just those.
 */
const RUNS = [
  ["--project", "unit", "--project", "parts"],
  ["--project", "e2e"],
];

/** As much of a failed run's complaints as is shown again at the end, in characters. */
const FAILURE = 6_000;

const wanted = argv.slice(2);
const started = performance.now();
const failures = (await Promise.all((wanted.length > 0 ? [wanted] : RUNS).map(vitest))).filter(
  (run) => run !== undefined,
);
// The run that ends last would else leave the other's failures far above the end of the log.
for (const failure of failures) stderr.write(`\nFailed:\n${failure.slice(-FAILURE)}\n`);
stderr.write(`All tests took ${((performance.now() - started) / 1000).toFixed(0)} s.\n`);
exit(failures.length === 0 ? 0 : 1);

/** The runs' lines are shown as they come; whose a line is, the project's name in it tells. Returns what a failed one complained of. */
function vitest(options: string[]): Promise<string | undefined> {
  const child = spawn("vitest", ["run", ...options], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(stdout, { end: false });
  child.stderr.pipe(stderr, { end: false });
  let complaints = "";
  child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0 ? undefined : complaints));
  });
}
