import { z } from "zod";
import { ownerMark } from "../../chat/conversation.ts";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import { decodeText } from "../../sandbox/bytes.ts";
import { memoryLink } from "../link.ts";
import { defineTool } from "../tool.ts";
import { generationField, isoTime, pathField } from "./fields.ts";

const DEFAULT_BYTES = 20_000;
const MOST_BYTES = 24_000;

export const memoryRead = defineTool({
  name: "memory_read",
  title: "Read from the Moltbot's memory",
  description:
    "A part of a text the Moltbot keeps: a note, or a conversation; also as it was in an older generation. Works while the Moltbot sleeps, and does not wake it.",
  scope: "memory",
  effect: "read",
  idempotent: true,
  needs: ["memory"],
  input: z.strictObject({
    path: pathField,
    generation: generationField,
    offset: z.number().int().min(0).optional().describe("First byte. Default 0."),
    limit: z.number().int().min(4).max(MOST_BYTES).optional().describe(`How many bytes. Default ${DEFAULT_BYTES}.`),
  }),
  output: z.object({
    path: z.string(),
    size: z.number(),
    modified: z.string(),
    offset: z.number(),
    next_offset: z.number().optional(),
    truncated: z.boolean(),
    content: z.string(),
  }),
  deadlineMs: 30_000,
  async run({ path: asked, generation, offset = 0, limit = DEFAULT_BYTES }, { memory }, { principal }) {
    const reader = await ownerMark(principal);
    const request = { reader, path: asked, offset, limit, ...(generation ? { generation } : {}) };
    const { path, size, modified, bytes } = unwrap(await memory.read(request));
    const decoded = decodeText(bytes, offset + bytes.byteLength >= size);
    if (!decoded) {
      throw new Failure("invalid_input", `${path} is not text.`, {
        hint: "Its resource gives the bytes; file_read knows pictures too, but wakes the Moltbot.",
      });
    }
    const { text: content } = decoded;
    const end = offset + decoded.taken;
    const truncated = end < size;
    return {
      data: {
        path,
        size,
        modified: isoTime(modified),
        offset,
        ...(truncated ? { next_offset: end } : {}),
        truncated,
        content,
      },
      text: truncated ? `${content}\n[${size - end} bytes more: go on with offset ${end}]` : content,
      ...(truncated ? { blocks: [memoryLink(path, size, generation)] } : {}),
    };
  },
});
