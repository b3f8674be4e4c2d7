import { z } from "zod";
import { MOST_FILE_BYTES, MOST_INLINE_BYTES } from "../../browser/limits.ts";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import type { ToolServices } from "../services.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, ref, tab } from "./fields.ts";
import { fileName, FOLDER } from "./saved.ts";

const MOST_FILES = 10;

const file = z.strictObject({
  saved: fileName.optional().describe(`One of the sandbox's ${FOLDER}.`),
  name: z.string().min(1).max(200).optional(),
  text: z.string().max(MOST_INLINE_BYTES).optional().describe("Content, instead of saved."),
  base64: z.base64().max(MOST_INLINE_BYTES).optional(),
  type: z.string().max(100).optional().describe("MIME type."),
});

type Given = z.output<typeof file>;

export const browserUpload = defineTool({
  name: "browser_upload",
  title: "Upload files",
  description: "Puts files into a file field, or drops them on an element.",
  scope: "browser",
  effect: "destructive",
  openWorld: true,
  needs: ["browser", "files"],
  input: z.strictObject({ ref, files: z.array(file).min(1).max(MOST_FILES), tab }),
  output: z.object({ page, files: z.number() }),
  deadlineMs: DEADLINE_MS,
  async run({ ref: element, files: wanted, tab: name }, { browser, files }, call) {
    const list = [];
    let size = 0;
    for (const one of wanted) {
      const taken = await bytesOf(one, files);
      size += taken.bytes.byteLength;
      if (size > MOST_FILE_BYTES) throw tooLarge();
      list.push({ name: taken.name, mimeType: taken.type, data: taken.bytes.toBase64() });
    }
    const data = unwrap(await browser(call.principal).upload(given({ ref: element, files: list, tab: name })));
    return { data, text: joined(pageText(data.page), `${data.files} files, ${size} bytes.`) };
  },
});

async function bytesOf(asked: Given, host: ToolServices["files"]) {
  const { saved, name, text, base64, type } = asked;
  if ([saved, text, base64].filter((source) => source !== undefined).length !== 1) {
    throw new Failure("invalid_input", "Each file has one of saved, text or base64.");
  }
  if (saved === undefined) {
    const bytes = base64 === undefined ? new TextEncoder().encode(text) : Uint8Array.fromBase64(base64);
    return {
      name: name ?? "file",
      type: type ?? (base64 === undefined ? "text/plain" : "application/octet-stream"),
      bytes,
    };
  }
  const opened = unwrap(await host.openFile(`${FOLDER}/${saved}`));
  if (opened.size > MOST_FILE_BYTES) {
    await opened.content.cancel();
    throw tooLarge();
  }
  const bytes = new Uint8Array(await new Response(opened.content).arrayBuffer());
  return { name: name ?? saved, type: type ?? opened.mimeType, bytes };
}

function tooLarge(): Failure {
  return new Failure("too_large", `At most ${MOST_FILE_BYTES} bytes are uploaded at once.`);
}
