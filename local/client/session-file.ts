import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type SessionState, sessionState } from "./oauth-session.ts";

export interface SessionFile {
  read(): Promise<SessionState | undefined>;
  write(state: SessionState): Promise<void>;
  remove(): Promise<void>;
}

/** Registration and tokens for one server, in a file of their own that only this user can read. */
export function sessionFile(folder: string, url: string): SessionFile {
  const path = join(folder, `${new URL(url).host.replace(/[^A-Za-z0-9.-]/g, "_")}.json`);
  return {
    async read() {
      try {
        const parsed = sessionState.safeParse(JSON.parse(await readFile(path, "utf8")));
        return parsed.success ? parsed.data : undefined;
      } catch (error) {
        // Whatever is wrong with the file, signing in again makes a new one.
        if (error instanceof SyntaxError) return undefined;
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(state) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const draft = `${path}.${randomUUID()}`;
      await writeFile(draft, JSON.stringify(state), { mode: 0o600 });
      await rename(draft, path);
    },
    async remove() {
      await rm(path, { force: true });
    },
  };
}
