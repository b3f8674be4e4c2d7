import { z } from "zod";
import { ownerMark } from "../../chat/conversation.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { generationField, isoTime } from "./fields.ts";

const MOST_FILES = 200;

export const memoryList = defineTool({
  name: "memory_list",
  title: "List the Moltbot's memory",
  description:
    "The files of the Moltbot's memory: its notes and other files (workspace/…) and its conversations as text (conversations/…); also of an older generation. Works while the Moltbot sleeps, and does not wake it.",
  scope: "memory",
  effect: "read",
  idempotent: true,
  needs: ["memory"],
  input: z.strictObject({
    prefix: z.string().max(2_048, "is too long").optional().describe("Only paths that begin with this."),
    generation: generationField,
    after: z.string().max(2_048).optional().describe("Go on after this path: the last one of the answer before."),
  }),
  output: z.object({
    files: z.array(z.object({ path: z.string(), size: z.number(), modified: z.string() })),
    truncated: z.boolean(),
  }),
  deadlineMs: 30_000,
  async run({ prefix = "", generation, after = "" }, { memory }, { principal }) {
    const reader = await ownerMark(principal);
    const request = { reader, prefix, after, limit: MOST_FILES, ...(generation ? { generation } : {}) };
    const { files: found, more } = unwrap(await memory.list(request));
    const files = found.map(({ path, size, modified }) => ({ path, size, modified: isoTime(modified) }));
    const lines = files.map(({ path, size, modified }) => `${path}  ${size}  ${modified}`);
    if (more) lines.push(`[There are more: go on with after ${files.at(-1)?.path}]`);
    return { data: { files, truncated: more }, text: lines.join("\n") || "The memory has no such files." };
  },
});
