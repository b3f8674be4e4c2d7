// The bot of the kill tests: counts in a database and in notes, as fast as a busy bot would write.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const state = process.env.KEEPER_STATE;
const workspace = process.env.KEEPER_WORKSPACE;
mkdirSync(`${state}/state`, { recursive: true });
const database = new DatabaseSync(`${state}/state/openclaw.sqlite`);
database.exec(
  "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS written (seq INTEGER PRIMARY KEY, at INTEGER, filler TEXT)",
);
const log = `${workspace}/log.md`;
const last = existsSync(log) ? Number(readFileSync(log, "utf8").trim().split("\n").at(-1)?.split(" ")[0] ?? 0) : 0;
let seq = Math.max(last, database.prepare("SELECT coalesce(max(seq), 0) AS n FROM written").get().n);
setInterval(() => {
  seq += 1;
  const at = Date.now();
  database.prepare("INSERT INTO written VALUES (?, ?, ?)").run(seq, at, "x".repeat(200));
  appendFileSync(log, `${seq} ${at}\n`);
  writeFileSync(`${workspace}/note.md.new`, `${seq} ${at}\n`);
  renameSync(`${workspace}/note.md.new`, `${workspace}/note.md`);
}, 25);
