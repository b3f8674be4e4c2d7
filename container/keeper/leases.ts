import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** In the state, the gateway's own database. */
const DATABASE = join("state", "openclaw.sqlite");

/**
 * Takes back what processes of an earlier container had marked as theirs in the gateway's database. A gateway takes over
 * from one that died on its own machine; of another machine's it waits for the mark to run out (five minutes in
 * openclaw 2026.9.6), and ends meanwhile. Whoever has the memory's fence is the only one left.
 */
export function releaseLeases(state: string): void {
  const path = join(state, DATABASE);
  if (!existsSync(path)) return;
  const database = new DatabaseSync(path, { timeout: 5_000 });
  try {
    const known = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'state_leases'").get();
    if (known !== undefined) database.exec("DELETE FROM state_leases");
  } finally {
    database.close();
  }
}
