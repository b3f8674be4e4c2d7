import { rmSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";

/** All pages in one step: the copy is of one moment, however busy the database is. */
const ALL_PAGES = 2_147_483_647;

/** A consistent copy of a database that others may be writing, as a file without a log beside it. */
export async function copyDatabase(source: string, copy: string): Promise<void> {
  rmSync(copy, { force: true });
  const database = new DatabaseSync(source, { readOnly: true, timeout: 5_000 });
  try {
    await backup(database, copy, { rate: ALL_PAGES });
  } finally {
    database.close();
  }
}
