import type { JournalEntry } from "../core/journal.ts";
import { redact } from "../core/redact.ts";

const MOST_CHARS = 300;
const MOST_FACTS = 16;

/** An entry as it is kept: each text short and redacted, whatever its writer let slip. */
export function clean(entry: JournalEntry): JournalEntry {
  const { kind, at, principal, client, action, digest, outcome, ms, detail } = entry;
  return {
    kind,
    at: Math.trunc(at),
    principal: short(principal),
    ...(client === undefined ? {} : { client: short(client) }),
    action: short(action),
    ...(digest === undefined ? {} : { digest: short(digest) }),
    outcome: short(outcome),
    ms: Math.max(0, Math.round(ms)),
    ...(detail === undefined ? {} : { detail: facts(detail) }),
  };
}

function facts(detail: NonNullable<JournalEntry["detail"]>): NonNullable<JournalEntry["detail"]> {
  const pairs = Object.entries(detail).slice(0, MOST_FACTS);
  return Object.fromEntries(
    pairs.map(([name, value]) => [short(name), typeof value === "string" ? short(value) : value]),
  );
}

/** Redacted before it is cut: half a secret is not recognised. */
function short(text: string): string {
  return redact(text).slice(0, MOST_CHARS);
}
