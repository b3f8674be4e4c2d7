import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv, env, exit, stderr, stdout } from "node:process";
import { DatabaseSync } from "node:sqlite";
import { Bridge } from "../container/keeper/bridge.ts";
import { readMark } from "../container/keeper/disk-mark.ts";
import { Keeper } from "../container/keeper/keeper.ts";
import { restore } from "../container/keeper/restore.ts";
import { type Disk, memoryStack, type MemoryStack } from "../test/memory/stack.ts";
import { startRclone } from "./rclone.ts";

const NOTES = 10_000;
const MIB = 1024 * 1024;
const WORDS = readFileSync(join(import.meta.dirname, "../docs/storage.md"), "utf8").split(/\W+/);

/** What keeping the memory costs, and rclone on the same data in the same run. Nothing here fails for being slow. */
const PARTS = {
  lag: async (stack: MemoryStack) => {
    const disk = stack.disk();
    await restore(disk.settings, new Bridge(disk.settings));
    const keeper = disk.keep();
    await keeper.started;
    const lags: number[] = [];
    for (let n = 0; n < 20; n++) {
      const before = (await stack.call("status")).head?.id;
      writeFileSync(join(disk.workspace, "note.md"), `note ${n}`);
      const written = performance.now();
      while ((await stack.call("status")).head?.id === before) await new Promise((resolve) => setTimeout(resolve, 100));
      lags.push(performance.now() - written);
    }
    keeper.stop();
    await keeper.ended;
    show("write → committed, p95", quantile(lags, 0.95), "ms", 3_000);
  },

  notes: async (stack: MemoryStack) => {
    const disk = stack.disk();
    notes(disk, 10_000);
    const { keeper, bridge } = await started(disk);
    await keeper.keep("all", { reason: "change", oldestChangeAt: Date.now() });
    await indexed(stack);
    const note = join(disk.workspace, "notes/7/77.md");
    const times: number[] = [];
    let bytes = 0;
    for (let n = 0; n < 10; n++) {
      writeFileSync(note, `${words(200)} ${n}`);
      const sent = bridge.sent;
      const from = performance.now();
      await keeper.keep(new Set(["workspace/notes/7/77.md"]), { reason: "change", oldestChangeAt: Date.now() });
      times.push(performance.now() - from);
      bytes = Math.max(bytes, bridge.sent - sent);
    }
    show(`one changed note among ${NOTES}`, quantile(times, 0.95), "ms", 500);
    show("… sent", bytes / 1024, "KiB", 64);
    const searches: number[] = [];
    for (let n = 0; n < 200; n++) {
      const from = performance.now();
      await stack.call("search", { ...SEARCH, query: words(2) });
      searches.push(performance.now() - from);
    }
    show(`search over ${NOTES} notes, 100 MB, p50`, quantile(searches, 0.5), "ms", 30);
    show("… p95", quantile(searches, 0.95), "ms", 30);
  },

  database: async (stack: MemoryStack) => {
    const disk = stack.disk();
    const file = join(disk.workspace, "large.sqlite");
    const database = new DatabaseSync(file);
    database.exec("CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB)");
    database.exec("BEGIN");
    for (let n = 0; n < 200; n++) database.prepare("INSERT INTO t VALUES (?, randomblob(?))").run(n, MIB);
    database.exec("COMMIT; CREATE TABLE s (x); INSERT INTO s VALUES (1)");
    const { keeper, bridge } = await started(disk);
    await keeper.keep("all", { reason: "change", oldestChangeAt: Date.now() });
    const sent = bridge.sent;
    database.exec("UPDATE s SET x = 2");
    await keeper.keep(new Set(["workspace/large.sqlite"]), { reason: "change", oldestChangeAt: Date.now() });
    show("a 200 MB database with one changed page sends", (bridge.sent - sent) / MIB, "MiB", 2);
    database.close();
  },

  rclone: async (stack: MemoryStack) => {
    const disk = stack.disk();
    // Hidden files are kept as others are, and not searched: the peer searches nothing either.
    notes(disk, 50_000, ".notes");
    const peer = await startRclone();
    if (typeof peer === "string") stderr.write(`${peer}\n`);
    const peerBackup = typeof peer === "string" ? undefined : await timed(() => peer.copy(disk.workspace, "up"));
    const backup = await timed(() => disk.keepOnce());
    show(`backup of ${NOTES} files, 500 MB (at most rclone's)`, backup, "ms", peerBackup ?? Number.POSITIVE_INFINITY);
    const there = mkdtempSync(join(tmpdir(), "moltbot-bench-"));
    const peerRestore = typeof peer === "string" ? undefined : await timed(() => peer.copy(there, "down"));
    const blank = stack.disk();
    const back = await timed(() => blank.restore());
    show("… restore (at most rclone's, and 10 s)", back, "ms", Math.min(10_000, peerRestore ?? 10_000));
    const same = spawnSync("diff", ["-rq", disk.workspace, blank.workspace]);
    if (same.status !== 0) throw new Error("What was restored is not what was backed up.");
    if (typeof peer !== "string") await peer.close();
    rmSync(there, { recursive: true, force: true });
  },
};

/** All parts, or those that are named. */
async function main(names: readonly string[]): Promise<void> {
  // Offline it would only complain.
  env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  for (const [name, part] of Object.entries(PARTS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const stack = await memoryStack();
    try {
      await part(stack);
    } finally {
      await stack.close();
    }
  }
  // What wrangler leaves open would keep this going.
  exit(0);
}

function show(what: string, value: number, unit: string, most: number): void {
  const shown = `${what.padEnd(56)} ${value.toFixed(1).padStart(10)} ${unit.padEnd(4)}`;
  stdout.write(`${shown} at most ${most.toFixed(0).padStart(7)}  ${value <= most ? "ok" : "OVER"}\n`);
}

const SEARCH = { reader: "0".repeat(24), limit: 10, kinds: ["note", "conversation"], since: "" };

/** Ten thousand notes that came at once are not what a bot's day is like, and here all share one thread: first the index has them. */
async function indexed(stack: MemoryStack): Promise<void> {
  while ((await stack.call("search", { ...SEARCH, query: "storage" })).behind) stderr.write(".");
}

async function started(disk: Disk) {
  const bridge = new Bridge(disk.settings);
  await restore(disk.settings, bridge);
  const keeper = new Keeper(disk.settings, bridge, readMark(disk.home)?.fence ?? -1);
  await keeper.meet();
  return { keeper, bridge };
}

/** A hundred folders of a hundred notes, each of so many bytes. */
function notes(disk: Disk, bytes: number, root = "notes"): void {
  for (let folder = 0; folder < NOTES / 100; folder++) {
    mkdirSync(join(disk.workspace, root, String(folder)), { recursive: true });
    for (let n = 0; n < 100; n++) {
      writeFileSync(
        join(disk.workspace, root, String(folder), `${n}.md`),
        `# ${folder}/${n}\n\n${words(bytes / 6)
          .padEnd(bytes, " .")
          .slice(0, bytes)}`,
      );
    }
  }
}

function words(count: number): string {
  return Array.from({ length: count }, (_, n) => {
    const word = WORDS[Math.floor(Math.random() * WORDS.length)] ?? "word";
    // Few words are in every note, many in only some.
    return n % 3 === 0 ? `${word}${Math.floor(Math.random() * 5_000)}` : word;
  }).join(" ");
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

await main(argv.slice(2));
