import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { filePath } from "./path.ts";

const MOST_CHARACTERS = 2_000_000;

export const fileWrite = defineTool({
  name: "file_write",
  title: "Write a file",
  description: "Writes a whole file in the sandbox, making its directories; what was there is replaced.",
  scope: "exec",
  effect: "destructive",
  idempotent: true,
  needs: ["files"],
  input: z.strictObject({
    path: filePath,
    content: z
      .string()
      .max(MOST_CHARACTERS, `must be at most ${MOST_CHARACTERS} characters: write it in parts with command_run`),
    encoding: z.enum(["text", "base64"]).optional().describe("What content is. Default text."),
  }),
  output: z.object({ path: z.string(), bytes: z.number() }),
  deadlineMs: 45_000,
  async run({ path, content, encoding = "text" }, { files }) {
    const bytes = encoding === "text" ? new TextEncoder().encode(content).byteLength : decodedLength(content);
    unwrap(await files.putFile(path, content, encoding === "text" ? "utf-8" : "base64"));
    return { data: { path, bytes }, text: `Wrote ${bytes} bytes to ${path}.` };
  },
});

function decodedLength(base64: string): number {
  return Math.floor((base64.replace(/[=\s]+/g, "").length * 3) / 4);
}
