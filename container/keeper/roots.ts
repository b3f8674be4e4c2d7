import { join, relative, sep } from "node:path";
import type { Roots } from "./settings.ts";

/** Made anew at each start, caches, and what packages bring: not memory. */
const STATE_SKIPPED = /^(openclaw\.json.*|cache|tmp|npm|plugin-skills|logs)$/;
const NEVER = new Set(["node_modules"]);
const ROOT_NAMES = ["workspace", "state", "conversations"] as const;

/** What SQLite keeps beside a database; a copy by its backup needs none of it. */
export const SIDECAR = /-(?:wal|shm|journal)$/;

/** Where the entry of this path is on the disk. */
export function diskPath(roots: Roots, path: string): string {
  const [root = "", ...rest] = path.split("/");
  const name = ROOT_NAMES.find((known) => known === root);
  if (name === undefined) throw new Error(`${path} is in no root.`);
  return join(roots[name], ...rest);
}

/** The path in a generation, or undefined for what no root holds. */
export function keptPath(roots: Roots, disk: string): string | undefined {
  for (const name of ROOT_NAMES) {
    const inside = relative(roots[name], disk);
    if (inside === "") return name;
    if (!inside.startsWith("..")) return [name, ...inside.split(sep)].join("/");
  }
  return undefined;
}

export function isSkipped(path: string): boolean {
  const [root, first = "", ...rest] = path.split("/");
  if (root === "state" && STATE_SKIPPED.test(first)) return true;
  return NEVER.has(first) || rest.some((name) => NEVER.has(name));
}

export const rootNames: readonly (keyof Roots)[] = ROOT_NAMES;

export function isRoot(path: string): boolean {
  return ROOT_NAMES.some((root) => root === path);
}

/** Every folder above the path of a generation, its root included. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) folders.push(path.slice(0, at));
  return folders;
}
