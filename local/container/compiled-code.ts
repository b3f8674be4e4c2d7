import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Identity } from "./jail-directories.ts";

/** Where the container has it: see container/bin/openclaw. */
const INSIDE = "/opt/compile-cache";

/** Where the gateway's compiled code is kept: see compile.ts. It goes with the packages it was compiled from. */
export function compiledCode(containerDir: string): string {
  return join(containerDir, "node_modules/.cache/compiled");
}

/**
 * What a jail is shown of it, path inside → path outside; nothing where none was made, and the gateway then starts slower.
 * Node keeps a folder for each version and user, `v24.1.0-x64-0123abcd-1000`: the jail finds its own name on it.
 */
export async function compiledMounts(containerDir: string, { uid }: Identity): Promise<Record<string, string>> {
  const kept = compiledCode(containerDir);
  const folders = await readdir(kept).catch(() => []);
  return Object.fromEntries(
    folders.map((name) => [`${INSIDE}/${name.replace(/\d+$/, String(uid))}`, join(kept, name)]),
  );
}
