/** What is written down: a client's call, a sign-in, a call of a model, a change made at the admin pages. */
export const JOURNAL_KINDS = ["call", "login", "model", "admin"] as const;

/** One line of the journal: something a client, a person or the bot did through the Worker. Never holds a secret or a text. */
export interface JournalEntry {
  kind: (typeof JOURNAL_KINDS)[number];
  /** When it began, in milliseconds since 1970. */
  at: number;
  /** The opaque id of the person, or "bot" for what the container asked for. */
  principal: string;
  client?: string;
  /** The tool, the step of the login, the model, or the route of the admin pages. */
  action: string;
  /** SHA-256 of the arguments, the first 16 hexadecimal digits: equal calls can be told without keeping their content. */
  digest?: string;
  /** "ok", or the code of the failure. */
  outcome: string;
  ms: number;
  /** A few small facts, such as token counts. */
  detail?: Record<string, string | number | boolean>;
}

/** Keeps an entry without making anybody wait; a journal that cannot be reached is said in the log, not to the caller. */
export type Journal = (entry: JournalEntry) => void;
