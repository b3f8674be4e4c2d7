import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What this disk is: docs/storage.md, "Restore". */
export interface DiskMark {
  /** The container start that this disk last ran under. */
  fence: number;
  /** The generation that was last put back or committed from here. */
  generation: string | null;
  phase: "restoring" | "ready";
}

export function readMark(home: string): DiskMark | undefined {
  try {
    const { fence, generation, phase } = JSON.parse(readFileSync(join(home, "disk.json"), "utf8"));
    if (typeof fence !== "number" || (phase !== "restoring" && phase !== "ready")) return undefined;
    return { fence, generation: typeof generation === "string" ? generation : null, phase };
  } catch {
    // No mark, or half of one: a disk nobody knows.
    return undefined;
  }
}

export function writeMark(home: string, mark: DiskMark): void {
  mkdirSync(home, { recursive: true });
  const file = join(home, "disk.json");
  writeFileSync(`${file}.new`, JSON.stringify(mark));
  renameSync(`${file}.new`, file);
}

/** Whether the disk is at least as new as the head, so that putting the head back could only lose something. */
export function isCurrent(mark: DiskMark | undefined, head: { generation: string; fence: number } | null): boolean {
  if (head === null) return true;
  if (mark?.phase !== "ready") return false;
  return mark.fence === head.fence || mark.generation === head.generation;
}
