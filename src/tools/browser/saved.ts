import { z } from "zod";
import type { FileBytes, PageState } from "../../browser/access.ts";
import { MOST_CHARACTERS, MOST_IMAGE_BYTES } from "../../browser/limits.ts";
import { unwrap } from "../../core/reply.ts";
import type { ToolServices } from "../services.ts";
import { joined, page, pageText } from "./fields.ts";

/** The only folder of the sandbox these tools touch: who may browse may not therefore read and write all of it. */
export const FOLDER = "/workspace/downloads";

export const fileName = z.string().regex(/^[\w() -][\w.() -]{0,119}$/, "must be a plain file name");

export const saveAs = fileName.optional().describe(`Name in the sandbox's ${FOLDER}.`);

export const savedOutput = z.object({
  page,
  name: z.string(),
  type: z.string(),
  bytes: z.number(),
  path: z.string().optional(),
  text: z.string().optional(),
});

const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** A file from a page: shown if it is short text or a picture and no place was named, else put into the sandbox. */
export async function savedAnswer(
  file: FileBytes & { page: PageState },
  saveName: string | undefined,
  files: ToolServices["files"],
) {
  const { page: state, name, mimeType: type, bytes, data } = file;
  const facts = { page: state, name, type, bytes };
  const about = `${name}: ${type}, ${bytes} bytes.`;
  if (saveName === undefined && SHOWN.has(type) && bytes <= MOST_IMAGE_BYTES) {
    return {
      data: facts,
      text: joined(pageText(state), about),
      blocks: [{ type: "image" as const, data, mimeType: type }],
    };
  }
  if (saveName === undefined && bytes <= MOST_CHARACTERS && /^text\/|[/+](json|xml)$|csv$/.test(type)) {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(data));
    return { data: { ...facts, text }, text: joined(pageText(state), about, text) };
  }
  const path = `${FOLDER}/${saveName ?? name}`;
  unwrap(await files.putFile(path, data, "base64"));
  return { data: { ...facts, path }, text: joined(pageText(state), about, `It is in the sandbox: ${path}`) };
}
