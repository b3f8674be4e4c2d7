import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { isoTime } from "./fields.ts";

const MOST_GENERATIONS = 100;

export const memoryGenerations = defineTool({
  name: "memory_generations",
  title: "List the generations of the Moltbot's memory",
  description:
    "The states of the Moltbot's memory that can still be read or put back, newest first: all of the last time, then one an hour, then one a day, as long as the settings say. Does not wake the Moltbot.",
  scope: "memory",
  effect: "read",
  idempotent: true,
  needs: ["memory"],
  input: z.strictObject({
    before: z.string().max(8).optional().describe("Go on with older ones: the last generation of the answer before."),
  }),
  output: z.object({
    generations: z.array(
      z.object({
        generation: z.string(),
        at: z.string(),
        reason: z.string(),
        files: z.number(),
        bytes: z.number(),
      }),
    ),
    truncated: z.boolean(),
  }),
  deadlineMs: 30_000,
  async run({ before = "99999999" }, { memory }) {
    const older = unwrap(await memory.generations()).filter(({ id }) => id < before);
    const generations = older
      .slice(0, MOST_GENERATIONS)
      .map(({ id, at, reason, files, bytes }) => ({ generation: id, at: isoTime(at), reason, files, bytes }));
    const truncated = older.length > generations.length;
    const lines = generations.map(
      ({ generation, at, reason, files, bytes }) => `${generation}  ${at}  ${reason}  ${files} files  ${bytes} bytes`,
    );
    if (truncated) lines.push(`[There are older ones: go on with before ${generations.at(-1)?.generation}]`);
    return { data: { generations, truncated }, text: lines.join("\n") || "The memory has no generation yet." };
  },
});
