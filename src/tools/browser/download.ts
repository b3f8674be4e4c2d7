import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, ref, tab } from "./fields.ts";
import { savedAnswer, savedOutput, saveAs } from "./saved.ts";

export const browserDownload = defineTool({
  name: "browser_download",
  title: "Download a file",
  description:
    "Fetches a link, picture or URL with the page's cookies. Short text and pictures are shown; the rest is saved.",
  scope: "browser",
  effect: "write",
  openWorld: true,
  needs: ["browser", "files"],
  input: z.strictObject({ url: z.string().max(4000).optional(), ref: ref.optional(), save_as: saveAs, tab }),
  output: savedOutput,
  deadlineMs: DEADLINE_MS,
  async run({ save_as: name, ...input }, { browser, files }, call) {
    return await savedAnswer(unwrap(await browser(call.principal).download(given(input))), name, files);
  },
});
