import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { z } from "zod";
import { banner } from "./banner.ts";
import { engineProblem } from "./docker/engine.ts";
import { step } from "./progress.ts";
import { startStack, type Stack } from "./stack.ts";
import { readDevVars } from "./variables.ts";

const ROOT = join(import.meta.dirname, "..");
const KEPT = join(ROOT, ".moltbot");
const RUN_FILE = join(KEPT, "run.json");
/** `npm run start:docker`: the deployment's image in Docker, in place of the jail. What it knows is its own. */
const DOCKER = process.argv.includes("--docker");
const STATE = DOCKER ? join(KEPT, "docker") : KEPT;
const DEFAULT_PORT = 8787;

const runSchema = z.object({ url: z.string(), pid: z.number(), passwordFile: z.string() });

/** `npm start`: the whole Moltbot on this machine, until Ctrl-C. */
async function main(): Promise<void> {
  refuseSecondRun();
  if (DOCKER) requireEngine();
  const variables = readDevVars(join(ROOT, ".dev.vars"));
  const wanted = process.env.PORT === undefined ? { firstPort: DEFAULT_PORT } : { port: givenPort(process.env.PORT) };
  const browserHosts = hosts(process.env.BROWSER_HOSTS);
  const stack = await step(DOCKER ? "Building the image and starting the Worker" : "Starting the Worker", () =>
    startStack({ stateDir: STATE, variables, browserHosts, docker: DOCKER, ...wanted }),
  );
  const run = { url: stack.url, pid: process.pid, passwordFile: stack.passwordFile } satisfies z.output<
    typeof runSchema
  >;
  writeFileSync(RUN_FILE, JSON.stringify(run), { mode: 0o600 });
  stopOnSignal(stack);
  await step("Starting the Moltbot gateway", () => stack.warm()).catch(async (error: unknown) => {
    rmSync(RUN_FILE, { force: true });
    await stack.close();
    throw error;
  });
  process.stdout.write(
    banner(
      stack,
      { isReal: stack.standInUrl === undefined, name: variables.MODEL ?? "the default" },
      relative(ROOT, STATE),
    ),
  );
}

function requireEngine(): void {
  const problem = engineProblem();
  if (problem !== undefined) throw new Error(problem);
}

function givenPort(given: string): number {
  const port = Number(given);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error("PORT must be a whole number from 1 to 65535.");
}

/** Comma-separated; empty when it is not given. */
function hosts(given = ""): string[] {
  return given.split(/[\s,]+/).filter((host) => host !== "");
}

function refuseSecondRun(): void {
  if (!existsSync(RUN_FILE)) return;
  const run = runSchema.safeParse(JSON.parse(readFileSync(RUN_FILE, "utf8")));
  if (!run.success || !isAlive(run.data.pid)) return;
  throw new Error(`A Moltbot of this folder is running already (process ${run.data.pid}, ${run.data.url}).`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function stopOnSignal(stack: Stack): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    process.stderr.write("\n· Stopping …\n");
    rmSync(RUN_FILE, { force: true });
    stack.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // Miniflare's own would end the process at once, with the bot's last changes not kept.
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
