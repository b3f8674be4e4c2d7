import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { z } from "zod";
import { freePort } from "../../local/ports.ts";
import { randomFrom } from "./random.ts";
import { eventually, NO_SESSION, startTestHost, type TestContainer } from "../local/container-under-test.ts";

const VICTIMS = ["bot", "keeper", "jail", "Worker"] as const;
const WORKER = fileURLToPath(new URL("worker-process.ts", import.meta.url));
const WRITER = readFileSync(new URL("writer.mjs", import.meta.url), "utf8");
const ID = "kill";
/** What the issue of losing memory may cost at most. Milliseconds. */
const MOST_LOST = 3_000;
/** How long a restore of this little takes where nothing else runs; the allowance grows with how busy the machine is. */
const CALM_RESTORE = 250;

const ENV = {
  KEEPER_URL: "http://127.0.0.1:8790/bridge/state",
  KEEPER_HOME: "/home/moltbot/.keeper",
  KEEPER_WORKSPACE: "/workspace",
  KEEPER_STATE: "/home/moltbot/.openclaw",
  BRIDGE_TOKEN: "unused-here",
};

interface Written {
  seq: number;
  /** Milliseconds since 1970. */
  at: number;
}

export interface KillRun {
  seed: number;
  victim: (typeof VICTIMS)[number];
  /** What was written last and is not there any more. Milliseconds. */
  lostMs: number;
  /** How long the restore took: says how busy the machine is. Milliseconds. */
  restoreMs: number;
}

/**
 * For each seed: a bot writes in a jail, something is killed at a random moment, then the container is gone with its disk. The
 * next one has to have all but the last seconds, with every database whole, and nothing older than it ever was.
 */
export async function killRuns(seeds: readonly number[]): Promise<KillRun[]> {
  const persist = mkdtempSync(join(tmpdir(), "moltbot-kill-"));
  const port = await freePort(undefined);
  let worker = await startWorker(persist, port);
  await using host = await startTestHost({ bridge: () => ({ host: "127.0.0.1", port }) });
  const runs: KillRun[] = [];
  const fresh = async () => {
    const container = host.container(ID);
    await container.start();
    return { container, restoreMs: await restored(container) };
  };
  let { container, restoreMs } = await fresh();
  let before = onDisk(host.stateDir);
  try {
    for (const seed of seeds) {
      const random = randomFrom(seed);
      await run(container, "keeper", "exec bash /opt/moltbot/keeper/keep.sh");
      await run(container, "bot", `exec node --input-type=module -e '${WRITER.replaceAll("'", `'\\''`)}'`);
      const start = Math.max(...Object.values(before).map(({ seq }) => seq));
      await eventually(() => lineOf(host.stateDir, "workspace/log.md").seq > start, 30_000);
      const began = lineOf(host.stateDir, "workspace/log.md").at;
      /** Whoever was down for a while is not asked for what was written meanwhile before it has caught up. */
      const caughtUp = async () => {
        await eventually(async () => (await headOf(port)) !== undefined, 60_000);
        const head = await headOf(port);
        await eventually(async () => (await headOf(port)) !== head, 60_000);
        await sleep(random() * 500);
      };
      await sleep(300 + random() * 900);
      const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? "jail";
      switch (victim) {
        case "bot":
          await container.sh("pkill -KILL -f [i]nput-type=module");
          await sleep(random() * 500);
          break;
        case "keeper":
          // Between two of its commits, or in the midst of one. Its parent starts it again.
          await container.sh("pkill -KILL -f [k]eeper/main.ts");
          await caughtUp();
          break;
        case "Worker":
          worker.kill("SIGKILL");
          await once(worker, "close");
          worker = await startWorker(persist, port);
          await caughtUp();
          break;
        case "jail":
          break;
      }
      // In no case is there a last commit.
      await container[Symbol.asyncDispose]();
      const last = lineOf(host.stateDir, "workspace/log.md");
      rmSync(join(host.stateDir, ID), { recursive: true, force: true });

      const restoreBefore = restoreMs;
      ({ container, restoreMs } = await fresh());
      const after = onDisk(host.stateDir);
      const parts = Object.values(after);
      // What was there once stays there.
      for (const part of ["log", "note", "database"] as const) {
        expect(after[part].seq, `${part}, seed ${seed}`).toBeGreaterThanOrEqual(before[part].seq);
      }
      const oldest = Math.min(...parts.map(({ at }) => at));
      const lostMs = last.at - Math.max(oldest, began);
      const slow = Math.max(restoreBefore, restoreMs);
      runs.push({ seed, victim, lostMs, restoreMs: slow });
      expect(lostMs, JSON.stringify(runs.at(-1))).toBeLessThan(MOST_LOST * Math.max(1, slow / CALM_RESTORE));
      before = after;
    }
  } finally {
    await container[Symbol.asyncDispose]();
    worker.kill("SIGKILL");
    rmSync(persist, { recursive: true, force: true });
  }
  return runs;
}

async function startWorker(persist: string, port: number): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [WORKER, persist, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  await once(worker.stdout, "data");
  return worker;
}

async function restored(container: TestContainer): Promise<number> {
  const api = await container.api();
  const started = performance.now();
  const done = await api.commands.execute("node /opt/moltbot/keeper/main.ts restore", NO_SESSION, { env: ENV });
  expect(done.exitCode, done.stderr).toBe(0);
  return performance.now() - started;
}

async function run(container: TestContainer, processId: string, command: string): Promise<void> {
  await (await container.api()).processes.startProcess(command, NO_SESSION, { processId, env: ENV });
}

const headSchema = z.object({ value: z.object({ head: z.object({ id: z.string() }).nullable() }) });

/** The present generation; undefined while nobody answers. */
async function headOf(port: number): Promise<string | undefined> {
  const body = JSON.stringify({ method: "status", args: [] });
  const response = await fetch(`http://127.0.0.1:${port}/memory`, { method: "POST", body }).catch(() => undefined);
  return headSchema.safeParse(await response?.json().catch(() => undefined)).data?.value.head?.id;
}

/** What a restored disk has of the bot's writing, wherever it wrote it. */
function onDisk(stateDir: string): Record<"log" | "note" | "database", Written> {
  return {
    log: lineOf(stateDir, "workspace/log.md"),
    note: lineOf(stateDir, "workspace/note.md"),
    database: inDatabase(stateDir),
  };
}

/** The last line that is whole. */
function lineOf(stateDir: string, path: string): Written {
  const file = join(stateDir, ID, path);
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const [seq = 0, at = 0] = lines.at(-2)?.split(" ").map(Number) ?? [];
  return { seq, at };
}

function inDatabase(stateDir: string): Written {
  const file = join(stateDir, ID, "home/.openclaw/state/openclaw.sqlite");
  if (!existsSync(file)) return { seq: 0, at: 0 };
  // Nothing may be left beside it: the bot is another user.
  const database = new DatabaseSync(new URL(`file://${file}?immutable=1`), { readOnly: true });
  try {
    const whole = database.prepare("PRAGMA integrity_check").get();
    expect(whole).toEqual({ integrity_check: "ok" });
    const row = database.prepare("SELECT seq, at FROM written ORDER BY seq DESC LIMIT 1").get();
    return row ? z.object({ seq: z.number(), at: z.number() }).parse(row) : { seq: 0, at: 0 };
  } finally {
    database.close();
  }
}
