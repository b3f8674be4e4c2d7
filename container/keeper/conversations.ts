import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { zstdDecompressSync } from "node:zlib";

/** The database of an agent: `state/agents/<id>/agent/openclaw-agent.sqlite`. */
const AGENT_DATABASE = /^state\/agents\/([^/]+)\/agent\/openclaw-agent\.sqlite$/;

/** Writes the conversations of the agents' databases as text, for those who read the memory without a gateway. */
export class Conversations {
  readonly #folder: string;
  /** Per conversation, what its text was made from. */
  readonly #written = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `copy` is a copy of the database at `path`; anything but an agent's is left alone. */
  export(path: string, copy: string): void {
    const agent = AGENT_DATABASE.exec(path)?.[1];
    if (agent === undefined) return;
    const database = new DatabaseSync(copy, { readOnly: true });
    try {
      this.#exportAll(database, join(this.#folder, agent));
    } finally {
      database.close();
    }
  }

  #exportAll(database: DatabaseSync, folder: string): void {
    mkdirSync(folder, { recursive: true });
    const rows = database
      .prepare(
        `SELECT w.session_key AS key, group_concat(w.session_id || ' ' || w.last) AS made_from FROM (
           SELECT session_key, session_id, created_at,
             (SELECT count(*) || '/' || max(seq) || '/' || max(created_at) FROM transcript_events e WHERE e.session_id = w.session_id) AS last
           FROM session_windows w ORDER BY created_at) AS w GROUP BY w.session_key`,
      )
      .all();
    const there = new Set<string>();
    for (const { key, made_from: madeFrom } of rows) {
      const file = join(folder, fileName(String(key)));
      there.add(file);
      if (this.#written.get(file) === String(madeFrom)) continue;
      writeFileSync(file, text(database, String(key)));
      this.#written.set(file, String(madeFrom));
    }
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      if (there.has(file)) continue;
      rmSync(file, { force: true });
      this.#written.delete(file);
    }
  }
}

/** A session key has colons and whatever a channel calls its people; the hash keeps two of them apart. */
function fileName(key: string): string {
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 8);
  return `${key.replaceAll(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80)}-${hash}.md`;
}

function text(database: DatabaseSync, key: string): string {
  const events = database
    .prepare(
      `SELECT e.event_json, e.event_zstd FROM transcript_events e JOIN session_windows w USING (session_id)
       WHERE w.session_key = ? ORDER BY w.created_at, e.seq`,
    )
    .iterate(key);
  const parts = [`# Conversation ${key}\n`];
  for (const { event_json: json, event_zstd: packed } of events) {
    const part = message(typeof json === "string" ? json : packed instanceof Uint8Array ? unpacked(packed) : "");
    if (part !== undefined) parts.push(part);
  }
  return parts.join("\n");
}

function unpacked(packed: Uint8Array): string {
  return zstdDecompressSync(packed).toString("utf8");
}

/** What was said; not the tools' calls and results, which are the bulk of a transcript and no memory. */
function message(json: string): string | undefined {
  let event;
  try {
    event = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (event?.type !== "message") return undefined;
  const { role, content } = event.message ?? {};
  if (role !== "user" && role !== "assistant") return undefined;
  const said = spoken(content).trim();
  return said === "" ? undefined : `## ${event.timestamp} ${role}\n\n${said}\n`;
}

function spoken(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (part?.type === "text" ? String(part.text) : "")).join("");
}
