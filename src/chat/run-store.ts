import { z } from "zod";
import { type ChatEvent, type RunEvent, runEvent, extent } from "./event.ts";
import type { RunState } from "./access.ts";

/** Attachments wait in pieces: a row of the object's database holds 2 MB at most. */
const PIECE = 1_000_000;
/** Rows read at once for a follower. */
const PAGE = 200;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, principal TEXT NOT NULL, conversation TEXT NOT NULL, session TEXT NOT NULL,
    idempotency TEXT, digest TEXT NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL,
    created INTEGER NOT NULL, started INTEGER, ended INTEGER,
    -- The gateway process that took the run; null until it did.
    boot TEXT, client TEXT);
  CREATE UNIQUE INDEX IF NOT EXISTS runs_key ON runs (principal, idempotency) WHERE idempotency IS NOT NULL;
  CREATE INDEX IF NOT EXISTS runs_state ON runs (state, created);
  -- position: right after the event, see event.ts.
  CREATE TABLE IF NOT EXISTS events (
    run TEXT NOT NULL, position INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (run, position)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS attachments (
    run TEXT NOT NULL, number INTEGER NOT NULL, piece INTEGER NOT NULL, mime TEXT NOT NULL, name TEXT,
    data TEXT NOT NULL, PRIMARY KEY (run, number, piece)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS conversations (
    principal TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, activity INTEGER NOT NULL,
    messages INTEGER NOT NULL, PRIMARY KEY (principal, name)) WITHOUT ROWID;
`;

const run = z.object({
  id: z.string(),
  principal: z.string(),
  conversation: z.string(),
  session: z.string(),
  idempotency: z.string().nullable(),
  digest: z.string(),
  message: z.string(),
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
  created: z.number(),
  started: z.number().nullable(),
  ended: z.number().nullable(),
  boot: z.string().nullable(),
  client: z.string().nullable(),
});
export type Run = z.infer<typeof run>;

const eventRow = z.object({ position: z.number(), json: z.string() });
const pieceRow = z.object({ number: z.number(), mime: z.string(), name: z.string().nullable(), data: z.string() });
const conversationRow = z.object({ name: z.string(), title: z.string(), activity: z.number(), messages: z.number() });
const count = z.object({ n: z.number() });

export interface StoredAttachment {
  mimeType: string;
  data: string;
  name?: string | undefined;
}

/** Runs, their events and the conversations they belong to, in the object's SQLite. Every call is synchronous. */
export class RunStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    // Tables of an earlier version do not know the client yet.
    const [column] = sql.exec("SELECT count(*) AS n FROM pragma_table_info('runs') WHERE name = 'client'");
    if (count.parse(column).n === 0) sql.exec("ALTER TABLE runs ADD COLUMN client TEXT");
  }

  insert(added: Run, attachments: readonly StoredAttachment[], title: string): void {
    this.#sql.exec(
      "INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
      added.id,
      added.principal,
      added.conversation,
      added.session,
      added.idempotency,
      added.digest,
      added.message,
      added.state,
      added.created,
      added.started,
      added.ended,
      added.boot,
      added.client,
    );
    attachments.forEach(({ mimeType, data, name }, number) => {
      for (let at = 0; at < data.length; at += PIECE) {
        const piece = data.slice(at, at + PIECE);
        this.#sql.exec(
          "INSERT INTO attachments VALUES (?,?,?,?,?,?)",
          added.id,
          number,
          at,
          mimeType,
          name ?? null,
          piece,
        );
      }
    });
    this.#sql.exec(
      `INSERT INTO conversations VALUES (?,?,?,?,1)
       ON CONFLICT DO UPDATE SET activity = excluded.activity, messages = messages + 1`,
      added.principal,
      added.conversation,
      title,
      added.created,
    );
  }

  run(id: string): Run | undefined {
    return this.#runs("WHERE id = ?", id)[0];
  }

  byKey(principal: string, idempotency: string): Run | undefined {
    return this.#runs("WHERE principal = ? AND idempotency = ?", principal, idempotency)[0];
  }

  /** Newest first. */
  ofPrincipal(principal: string): Run[] {
    return this.#runs("WHERE principal = ? ORDER BY created DESC LIMIT 100", principal);
  }

  inState(state: RunState): Run[] {
    return this.#runs("WHERE state = ? ORDER BY created", state);
  }

  /** The message that waits longest in a conversation. */
  nextQueued(session: string): Run | undefined {
    return this.#runs("WHERE state = 'queued' AND session = ? ORDER BY created, rowid LIMIT 1", session)[0];
  }

  /** Runs of a conversation that have not ended. */
  openIn(session: string): number {
    const rows = this.#sql.exec(
      "SELECT count(*) AS n FROM runs WHERE state IN ('queued','running') AND session = ?",
      session,
    );
    return count.parse(rows.one()).n;
  }

  start(id: string, now: number): void {
    this.#sql.exec("UPDATE runs SET state = 'running', started = ? WHERE id = ?", now, id);
  }

  /** The gateway has the message: our copy of what was attached is not needed any more. */
  accepted(id: string, boot: string): void {
    this.#sql.exec("UPDATE runs SET boot = ? WHERE id = ?", boot, id);
    this.#sql.exec("DELETE FROM attachments WHERE run = ?", id);
  }

  end(ended: Run, state: RunState, now: number): void {
    this.#sql.exec("UPDATE runs SET state = ?, ended = ? WHERE id = ?", state, now, ended.id);
    this.#sql.exec("DELETE FROM attachments WHERE run = ?", ended.id);
    this.#sql.exec(
      "UPDATE conversations SET activity = ?, messages = messages + 1 WHERE principal = ? AND name = ?",
      now,
      ended.principal,
      ended.conversation,
    );
  }

  attachments(id: string): StoredAttachment[] {
    const whole: StoredAttachment[] = [];
    const rows = this.#sql.exec(
      "SELECT number, mime, name, data FROM attachments WHERE run = ? ORDER BY number, piece",
      id,
    );
    for (const row of rows) {
      const { number, mime, name, data } = pieceRow.parse(row);
      const begun = whole[number];
      if (begun) begun.data += data;
      else whole[number] = { mimeType: mime, data, name: name ?? undefined };
    }
    return whole;
  }

  append(id: string, position: number, event: RunEvent): void {
    this.#sql.exec("INSERT INTO events VALUES (?,?,?)", id, position, JSON.stringify(event));
  }

  /** Events that reach beyond the cursor, the first one cut when the cursor is inside its text. At most a page. */
  events(id: string, cursor: number): ChatEvent[] {
    const rows = this.#sql.exec(
      "SELECT position, json FROM events WHERE run = ? AND position > ? ORDER BY position LIMIT ?",
      id,
      cursor,
      PAGE,
    );
    return Array.from(rows, (row) => {
      const { position, json } = eventRow.parse(row);
      return cut({ ...runEvent.parse(JSON.parse(json)), cursor: position }, cursor);
    });
  }

  last(id: string): ChatEvent | undefined {
    const rows = this.#sql.exec("SELECT position, json FROM events WHERE run = ? ORDER BY position DESC LIMIT 1", id);
    const row = eventRow.safeParse(rows.next().value);
    return row.success ? { ...runEvent.parse(JSON.parse(row.data.json)), cursor: row.data.position } : undefined;
  }

  conversations(principal: string): z.infer<typeof conversationRow>[] {
    const rows = this.#sql.exec(
      "SELECT name, title, activity, messages FROM conversations WHERE principal = ? ORDER BY activity DESC LIMIT 200",
      principal,
    );
    return Array.from(rows, (row) => conversationRow.parse(row));
  }

  /** Forgets ended runs older than `before`, and the oldest ones beyond `keep`. Answers when the next one gets old. */
  prune(before: number, keep: number): number | undefined {
    const old = `SELECT id FROM runs WHERE ended IS NOT NULL AND (ended < ? OR id NOT IN
      (SELECT id FROM runs WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT ?))`;
    this.#sql.exec(`DELETE FROM events WHERE run IN (${old})`, before, keep);
    this.#sql.exec(`DELETE FROM runs WHERE id IN (${old})`, before, keep);
    const oldest = this.#sql.exec("SELECT min(ended) AS n FROM runs WHERE ended IS NOT NULL").one();
    return count.safeParse(oldest).data?.n;
  }

  #runs(where: string, ...bindings: SqlStorageValue[]): Run[] {
    return Array.from(this.#sql.exec(`SELECT * FROM runs ${where}`, ...bindings), (row) => run.parse(row));
  }
}

/** The part of an event beyond the cursor. A replacement is never cut: it makes sense only as a whole. */
export function cut(event: ChatEvent, cursor: number): ChatEvent {
  if (event.type !== "text" || event.replace) return event;
  const seen = cursor - (event.cursor - extent(event));
  return seen > 0 ? { ...event, text: event.text.slice(seen) } : event;
}
