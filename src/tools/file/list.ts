import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import type { DirectoryEntry } from "../../sandbox/results.ts";
import { defineTool } from "../tool.ts";
import { filePath } from "./path.ts";

const MOST_ENTRIES = 200;
/** Characters of all paths: long ones make a shorter page. */
const MOST_CHARACTERS = 12_000;

export const fileList = defineTool({
  name: "file_list",
  title: "List a directory",
  description:
    "Files and directories in the sandbox, with size and time of change. /files, the folder for large files, is listed without waking the Moltbot.",
  scope: "exec",
  effect: "read",
  idempotent: true,
  needs: ["files"],
  input: z.strictObject({
    path: filePath.optional().describe("A directory. Default /workspace."),
    recursive: z.boolean().optional().describe("Also what is in its directories. Default false."),
    hidden: z.boolean().optional().describe("Also names that begin with a dot. Default false."),
    after: z.string().optional().describe("Go on after this path: the last one of the answer before."),
  }),
  output: z.object({
    path: z.string(),
    entries: z.array(z.object({ path: z.string(), type: z.string(), size: z.number(), modified: z.string() })),
    truncated: z.boolean(),
  }),
  deadlineMs: 30_000,
  async run({ path = "/workspace", recursive = false, hidden = false, after = "" }, { files }) {
    const all = unwrap(await files.directory(path, { recursive, hidden }));
    const rest = all.filter((entry) => entry.path > after).toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const entries = page(rest);
    const truncated = rest.length > entries.length;
    const lines = entries.map(
      (entry) => `${entry.path}${entry.type === "directory" ? "/" : ""}  ${entry.size}  ${entry.modified}`,
    );
    if (truncated) lines.push(`[${rest.length - entries.length} more: go on with after ${entries.at(-1)?.path}]`);
    return { data: { path, entries, truncated }, text: lines.join("\n") || `${path} is empty.` };
  },
});

function page(entries: readonly DirectoryEntry[]): DirectoryEntry[] {
  let characters = 0;
  const shown = entries.slice(0, MOST_ENTRIES);
  const end = shown.findIndex(({ path }) => (characters += path.length) > MOST_CHARACTERS);
  // One at least, or nobody would ever come past it.
  return end === -1 ? shown : shown.slice(0, Math.max(1, end));
}
