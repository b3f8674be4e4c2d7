import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, pictureBlock, tab } from "./fields.ts";
import { FOLDER, saveAs } from "./saved.ts";

export const browserRecord = defineTool({
  name: "browser_record",
  title: "Film a tab",
  description:
    "Films the tab while other calls act, at most 2 minutes. stop gives an animated WebP, at most 1 MB: longer films have fewer pictures.",
  scope: "browser",
  effect: "write",
  needs: ["browser", "files"],
  input: z.strictObject({
    do: z.enum(["start", "stop"]),
    fps: z.number().min(0.5).max(10).optional(),
    width: z.number().int().min(200).max(1280).optional().describe("Pixels. Default 800."),
    save_as: saveAs.describe("Name in the sandbox's downloads, instead of in the answer."),
    tab,
  }),
  output: z.object({
    page,
    recording: z.boolean(),
    frames: z.number(),
    bytes: z.number().optional(),
    path: z.string().optional(),
  }),
  deadlineMs: DEADLINE_MS,
  async run({ save_as: name, ...input }, { browser, files }, call) {
    const { movie, ...answer } = unwrap(await browser(call.principal).record(given(input)));
    if (!movie) return { data: answer, text: joined(pageText(answer.page), "Recording. browser_record stop ends it.") };
    const data = { ...answer, bytes: movie.bytes };
    const about = `${answer.frames} pictures, ${movie.bytes} bytes.`;
    if (name === undefined) return { data, text: joined(pageText(answer.page), about), blocks: [pictureBlock(movie)] };
    const path = `${FOLDER}/${name}`;
    unwrap(await files.putFile(path, movie.data, "base64"));
    return { data: { ...data, path }, text: joined(pageText(answer.page), about, `It is in the sandbox: ${path}`) };
  },
});
