import { z } from "zod";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import { base64, decodeText, imageType, readRange } from "../../sandbox/bytes.ts";
import { fileLink } from "../link.ts";
import { defineTool } from "../tool.ts";
import { filePath } from "./path.ts";

const DEFAULT_BYTES = 20_000;
const MOST_BYTES = 22_000;
/** As base64 they are a third more characters. */
const MOST_BASE64_BYTES = 16_000;
/** What clients accept of one image. Bytes. */
const MOST_IMAGE_BYTES = 1_000_000;

export const fileRead = defineTool({
  name: "file_read",
  title: "Read a file",
  description:
    'A part of a file in the sandbox: text by default, or base64 for other bytes. An image (png, jpeg, gif, webp) up to 1 MB comes back as a picture with encoding "image". Files in /files are read without waking the Moltbot.',
  scope: "exec",
  effect: "read",
  idempotent: true,
  needs: ["files"],
  input: z.strictObject({
    path: filePath,
    offset: z.number().int().min(0).optional().describe("First byte. Default 0."),
    limit: z.number().int().min(4).max(MOST_BYTES).optional().describe(`How many bytes. Default ${DEFAULT_BYTES}.`),
    encoding: z.enum(["text", "base64", "image"]).optional().describe("How to answer. Default text."),
  }),
  output: z.object({
    path: z.string(),
    size: z.number(),
    offset: z.number(),
    next_offset: z.number().optional(),
    truncated: z.boolean(),
    content: z.string().optional(),
  }),
  deadlineMs: 45_000,
  async run({ path, offset = 0, limit = DEFAULT_BYTES, encoding = "text" }, { files }) {
    const file = unwrap(await files.openFile(path, encoding === "image" ? 0 : offset));
    if (encoding === "image") {
      if (file.size > MOST_IMAGE_BYTES) {
        await file.content.cancel();
        throw new Failure("too_large", `The image has ${file.size} bytes; ${MOST_IMAGE_BYTES} is the most.`, {
          hint: "Make it smaller with command_run first.",
        });
      }
      const bytes = await readRange(file.content, 0, file.size);
      const mimeType = imageType(bytes);
      if (mimeType === undefined) {
        throw new Failure("invalid_input", `${path} is not a png, jpeg, gif or webp image.`, {
          hint: 'Read it with encoding "text" or "base64".',
        });
      }
      return {
        data: { path, size: file.size, offset: 0, truncated: false },
        text: `${path}: ${mimeType}, ${file.size} bytes.`,
        blocks: [{ type: "image", data: base64(bytes), mimeType }],
      };
    }
    const bytes = await readRange(
      file.content,
      offset - (file.offset ?? 0),
      encoding === "text" ? limit : Math.min(limit, MOST_BASE64_BYTES),
    );
    const { text: content, taken } =
      encoding === "base64"
        ? { text: base64(bytes), taken: bytes.byteLength }
        : (decodeText(bytes, offset + bytes.byteLength >= file.size) ?? notText(path));
    const end = offset + taken;
    const truncated = end < file.size;
    return {
      data: { path, size: file.size, offset, ...(truncated ? { next_offset: end } : {}), truncated, content },
      text: truncated ? `${content}\n[${file.size - end} bytes more: go on with offset ${end}]` : content,
      ...(truncated ? { blocks: [fileLink(path, file.size)] } : {}),
    };
  },
});

function notText(path: string): never {
  throw new Failure("invalid_input", `${path} is not text.`, {
    hint: 'Read it with encoding "base64", or "image" for a picture.',
  });
}
