import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { program } from "../client/program.ts";
import { connect, type Session, signIn } from "../e2e/client.ts";
import { randomFrom } from "../memory/random.ts";

const PROGRAM = fileURLToPath(new URL("stack-process.ts", import.meta.url));
const upSchema = z.object({
  url: z.string(),
  passwordFile: z.string(),
  host: z.object({ url: z.string(), token: z.string() }),
});

/** What the issue of losing memory may cost at most, on a machine that does nothing else. Milliseconds. */
const MOST_LOST = 3_000;
/** A chat takes so long where nothing else runs; the allowance grows with how busy the machine is. */
const CALM_CHAT = 4_000;

const stateDir = mkdtempSync(join(tmpdir(), "moltbot-kill-"));
let child: ChildProcess | undefined;
afterAll(() => {
  child?.kill("SIGKILL");
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 10 });
});

async function up() {
  child = spawn(process.execPath, [PROGRAM, stateDir], { stdio: ["ignore", "pipe", "inherit"] });
  if (!child.stdout) throw new Error("it has no output");
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith("{")) continue;
    const { url, passwordFile, host } = upSchema.parse(JSON.parse(line));
    // As `npm start` leaves it, so that the programs find it.
    writeFileSync(join(stateDir, "run.json"), JSON.stringify({ url, pid: child.pid, passwordFile }));
    const bot = { url, password: readFileSync(passwordFile, "utf8").trim() };
    return { host, session: await connect(bot, await signIn(bot)) };
  }
  throw new Error("it did not come up");
}

/** The container is gone with everything on its disk, and without a last commit. */
async function destroy(host: { url: string; token: string } | undefined): Promise<void> {
  const sandboxes = join(stateDir, "sandboxes");
  for (const id of readdirSync(sandboxes)) {
    const headers = { "x-container-host-token": host?.token ?? "" };
    if (host) await fetch(`${host.url}/containers/${id}/destroy`, { method: "POST", headers, body: "{}" });
    rmSync(join(sandboxes, id), { recursive: true, force: true, maxRetries: 10 });
  }
}

/**
 * How many databases the last generation has; each of them is whole. Looked at in an archive of it, which is what the next
 * container gets: in a container the gateway holds some for as long as it runs.
 */
async function wholeDatabases(): Promise<number> {
  const folder = join(stateDir, "exported");
  const archive = join(stateDir, "exported.tar.gz");
  mkdirSync(folder);
  try {
    const exported = await program("export", ["--state", stateDir, "--to", archive]);
    expect(exported, exported.err).toMatchObject({ code: 0 });
    execFileSync("tar", ["-xzf", archive, "-C", folder]);
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const databases = entries.filter(({ name }) => name.endsWith(".sqlite"));
    for (const { parentPath, name } of databases) {
      using database = new DatabaseSync(join(parentPath, name), { readOnly: true });
      expect(database.prepare("PRAGMA integrity_check").all(), name).toEqual([{ integrity_check: "ok" }]);
    }
    return databases.length;
  } finally {
    rmSync(archive, { force: true });
    rmSync(folder, { recursive: true });
  }
}

const notesOf = async (session: Session) => {
  const { text, isError } = await session.call("command_run", {
    command: "cat /workspace/MEMORY.md",
    timeout_seconds: 30,
  });
  return isError ? "" : text;
};

describe(
  "the memory of a bot whose gateway, keeper, jail or Worker is killed while it writes",
  { timeout: 3_600_000 },
  () => {
    it("is whole and young in the next container, each time", async () => {
      let { session, host } = await up();
      const random = randomFrom(7);
      /** What the bot was told, and when it had said that it was written. Milliseconds since 1970. */
      let told: { fact: string; at: number }[] = [];
      const victims = ["gateway", "keeper", "jail", "Worker", "gateway", "jail", "keeper", "Worker"] as const;
      for (const [run, victim] of victims.entries()) {
        let slowest = CALM_CHAT;
        const tell = async (fact: string) => {
          const began = Date.now();
          const { data, text } = await session.chat(`remember: ${fact}`, { conversation: `run-${run}` });
          if (data.status !== "done") throw new Error(text);
          told.push({ fact, at: Date.now() });
          // The first one starts the gateway.
          return Date.now() - began;
        };
        await tell(`fact ${run}-first`);
        slowest = Math.max(slowest, await tell(`fact ${run}-second`));
        // In the midst of the third one.
        const last = tell(`fact ${run}-third`).catch(() => undefined);
        await sleep(random() * CALM_CHAT);
        switch (victim) {
          case "gateway":
            await session.call("command_run", { command: "pkill -KILL -f [o]penclaw-gateway" });
            await sleep(random() * 1_000);
            break;
          case "keeper":
            await session.call("command_run", { command: "pkill -KILL -f [k]eeper/main.ts" });
            // It is started again, and brings what was written meanwhile.
            await last;
            await sleep(MOST_LOST);
            break;
          case "jail":
          case "Worker":
            break;
        }
        if (victim === "Worker") {
          const exited = child && once(child, "exit");
          child?.kill("SIGKILL");
          await exited;
        }
        const destroyedAt = Date.now();
        await destroy(victim === "Worker" ? undefined : host);
        if (victim === "Worker") ({ session, host } = await up());
        const databases = await wholeDatabases();
        expect(databases, `run ${run}, ${victim}`).toBeGreaterThan(0);
        const allowed = MOST_LOST * Math.max(1, slowest / CALM_CHAT);

        const { text, data } = await session.chat("run: cat MEMORY.md", { conversation: "after" });
        expect(data.status, text).toBe("done");
        const notes = await notesOf(session);
        // Those of earlier runs are among them: what was there once stays there.
        const due = told.filter(({ at }) => at < destroyedAt - allowed).map(({ fact }) => fact);
        for (const fact of due)
          expect(notes, `run ${run}, ${victim}: written more than ${allowed} ms before`).toContain(fact);
        // What it was told in the end may still be written now, and not beside the next run's.
        await Promise.race([last, sleep(60_000)]);
        const kept = told.filter(({ fact }) => notes.includes(fact));
        const lost = told
          .filter(({ fact }) => !notes.includes(fact))
          .map(({ fact, at }) => `${fact} (${destroyedAt - at} ms)`);
        console.info(
          `run ${run}, ${victim}: ${kept.length} of ${told.length} facts, lost ${lost.join(", ") || "none"}; ${databases} databases`,
        );
        told = kept;
      }
      const found = await session.call("memory_search", { query: `"${told.at(-1)?.fact}"`, kinds: ["note"] });
      expect(found.text).toContain("MEMORY.md");
      await session.close();
    });
  },
);
