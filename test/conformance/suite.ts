import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const PROGRAM = join(import.meta.dirname, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js");

const checksSchema = z.array(
  z.looseObject({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }),
);

export interface SuiteRun {
  /** What the suite itself makes of it. */
  passed: boolean;
  /** scenario → the checks that failed, with what was wrong. */
  failures: Record<string, string[]>;
  /** Every scenario that ran. */
  scenarios: string[];
  output: string;
}

/** Runs the official conformance suite against a server; a run of its own, for it keeps results by the clock. */
export async function conformance(url: string, options: readonly string[]): Promise<SuiteRun> {
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  try {
    const argv = [PROGRAM, "server", "--url", url, "--output-dir", folder, "--timeout", "120000", ...options];
    const { passed, output } = await ran(argv);
    const failures: Record<string, string[]> = {};
    const scenarios: string[] = [];
    for (const name of readdirSync(folder)) {
      const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT.*$/.exec(name)?.[1];
      if (scenario === undefined) continue;
      scenarios.push(scenario);
      const checks = checksSchema.parse(JSON.parse(readFileSync(join(folder, name, "checks.json"), "utf8")));
      const failed = checks.filter(({ status }) => status === "FAILURE");
      if (failed.length > 0) failures[scenario] = failed.map(({ id, errorMessage = "" }) => `${id}: ${errorMessage}`);
    }
    return { passed, failures, scenarios, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ran(argv: string[]): Promise<{ passed: boolean; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, argv, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ passed: error === null, output: `${stdout}\n${stderr}`.slice(-4_000) });
    });
  });
}
