import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
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

/** Prints the name of each database of the gateway's that is not whole, and how many there are. */
const CHECK = `
const { readdirSync } = require("node:fs");
const { DatabaseSync } = require("node:sqlite");
const all = readdirSync(process.env.HOME + "/.openclaw", { recursive: true, withFileTypes: true }).filter((entry) => entry.name.endsWith(".sqlite"));
for (const { parentPath, name } of all) {
  const [row] = new DatabaseSync(parentPath + "/" + name, { readOnly: true, timeout: 10000 }).prepare("PRAGMA integrity_check").all();
  if (row.integrity_check !== "ok") console.log(parentPath, name, row);
}
console.log(all.length + " databases");`;

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
      const told: { fact: string; at: number }[] = [];
      const victims = ["gateway", "keeper", "jail", "Worker", "gateway", "jail", "keeper", "Worker"] as const;
      let survived: string[] = [];
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
        const allowed = MOST_LOST * Math.max(1, slowest / CALM_CHAT);

        const { text, data } = await session.chat("run: cat MEMORY.md", { conversation: "after" });
        expect(data.status, text).toBe("done");
        const notes = await notesOf(session);
        for (const fact of survived) expect(notes, `run ${run}, ${victim}`).toContain(fact);
        const due = told.filter(({ at }) => at < destroyedAt - allowed).map(({ fact }) => fact);
        for (const fact of due)
          expect(notes, `run ${run}, ${victim}: written more than ${allowed} ms before`).toContain(fact);
        // What it was told in the end may still be written now, and not beside the next run's.
        await Promise.race([last, sleep(60_000)]);
        survived = told.map(({ fact }) => fact).filter((fact) => notes.includes(fact));
        const encoded = Buffer.from(CHECK).toString("base64");
        const checked = await session.call("command_run", {
          command: `echo ${encoded} | base64 -d > /tmp/check.cjs && node /tmp/check.cjs`,
          timeout_seconds: 45,
        });
        expect(checked.text).toMatch(/^[1-9]\d* databases/);
        const lost = told
          .filter(({ fact }) => !survived.includes(fact))
          .map(({ fact, at }) => `${fact} (${destroyedAt - at} ms)`);
        console.info(
          `run ${run}, ${victim}: ${survived.length} of ${told.length} facts, lost ${lost.join(", ") || "none"}; ${checked.text.trim()}`,
        );
      }
      const found = await session.call("memory_search", { query: `"${survived.at(-1)}"`, kinds: ["note"] });
      expect(found.text).toContain("MEMORY.md");
      await session.close();
    });
  },
);
