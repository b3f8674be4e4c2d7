import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { exit } from "node:process";

const ROOT = join(import.meta.dirname, "..");

/** Everything that can be said of the code without running it. */
const STEPS: [what: string, command: string, ...argv: string[]][] = [
  ["types of bindings", "wrangler", "types", "--include-runtime=false", "--check"],
  ["types of the Worker", "tsc", "-p", "tsconfig.json"],
  ["types of the rest", "tsc", "-p", "tsconfig.node.json"],
  ["types of what runs in pages", "tsc", "-p", "tsconfig.page.json"],
  ["types of the admin page", "tsc", "-p", "tsconfig.ui.json"],
  ["lint", "oxlint", "--type-aware", "--deny-warnings"],
  ["format", "oxfmt", "--check"],
  ["unused code", "knip"],
  ["generated files", "node", "scripts/generate.ts", "--check"],
  ["import boundaries", "vitest", "run", "--project", "unit", "test/architecture.test.ts"],
  // The image is not built here: that takes a Docker engine.
  ["deployment", "wrangler", "deploy", "--dry-run", "--containers-rollout=none"],
];

let failed = false;
for (const [what, command, ...argv] of STEPS) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(command, argv, { cwd: ROOT, encoding: "utf8" });
  const ok = status === 0;
  failed ||= !ok;
  console.log(`${ok ? "✓" : "✗"} ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`${stdout}${stderr}`);
}
exit(failed ? 1 : 0);
