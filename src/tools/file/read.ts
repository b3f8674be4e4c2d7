import { z } from "zod";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { filePath } from "./path.ts";

const DEFAULT_BYTES = 20_000;
const MOST_BYTES = 24_000;
/** What clients accept of one image. Bytes. */
const MOST_IMAGE_BYTES = 1_000_000;
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export const fileRead = defineTool({
  name: "file_read",
  title: "Read a file",
  description:
    'A part of a file in the sandbox: text by default, or base64 for other bytes. An image (png, jpeg, gif, webp) up to 1 MB comes back as a picture with encoding "image".',
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
    const file = unwrap(await files.openFile(path));
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
        images: [{ data: base64(bytes), mimeType }],
      };
    }
    const bytes = await readRange(file.content, offset, limit);
    const { content, taken } =
      encoding === "base64"
        ? { content: base64(bytes), taken: bytes.byteLength }
        : decode(bytes, path, offset + bytes.byteLength >= file.size);
    const end = offset + taken;
    const truncated = end < file.size;
    return {
      data: { path, size: file.size, offset, ...(truncated ? { next_offset: end } : {}), truncated, content },
      text: truncated ? `${content}\n[${file.size - end} bytes more: go on with offset ${end}]` : content,
    };
  },
});

/** Bytes from `offset`, at most `count`; the rest of the stream is not read. */
async function readRange(stream: ReadableStream<Uint8Array>, offset: number, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let [skip, wanted] = [offset, count];
  const reader = stream.getReader();
  while (wanted > 0) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(Math.min(skip, value.byteLength)).subarray(0, wanted);
    skip = Math.max(0, skip - value.byteLength);
    wanted -= part.byteLength;
    if (part.byteLength > 0) parts.push(part);
  }
  await reader.cancel();
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** Text of the whole characters; up to three bytes of one that was cut off are left for the next call. */
function decode(bytes: Uint8Array, path: string, isEnd: boolean): { content: string; taken: number } {
  const mostLeft = isEnd ? 0 : Math.min(3, bytes.byteLength - 1);
  for (let left = 0; left <= mostLeft; left++) {
    try {
      const content = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        bytes.subarray(0, bytes.byteLength - left),
      );
      if (content.includes("\0")) break;
      return { content, taken: bytes.byteLength - left };
    } catch {
      // Perhaps only the last character is incomplete: try with a byte less.
    }
  }
  throw new Failure("invalid_input", `${path} is not text.`, {
    hint: 'Read it with encoding "base64", or "image" for a picture.',
  });
}

function imageType(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  const type = head.startsWith("\x89PNG")
    ? "image/png"
    : head.startsWith("\xff\xd8\xff")
      ? "image/jpeg"
      : head.startsWith("GIF8")
        ? "image/gif"
        : head.startsWith("RIFF") && head.endsWith("WEBP")
          ? "image/webp"
          : "";
  return IMAGES.has(type) ? type : undefined;
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.byteLength; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}
