import { z } from "zod";
import { raced } from "../../core/deadline.ts";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import { generationSchema } from "../../memory/format.ts";
import { defineTool } from "../tool.ts";

export const memoryRestore = defineTool({
  name: "memory_restore",
  title: "Put an older state of the memory back",
  description:
    "Makes an older generation the Moltbot's memory: notes, conversations, settings, all of it. What is there now is committed first and can be put back the same way. Stops the Moltbot; if it was running it is started again on what was put back.",
  scope: "control",
  effect: "destructive",
  needs: ["memory", "bot"],
  input: z.strictObject({
    generation: generationSchema.describe("As memory_generations names it."),
  }),
  output: z.object({
    /** The new present generation, with the old one's content. */
    generation: z.string(),
    restored: z.string(),
    files: z.number(),
    started: z.boolean(),
  }),
  deadlineMs: 120_000,
  async run({ generation: restored }, { memory, bot }, { signal, progress }) {
    // Before the bot is stopped for it.
    if (!unwrap(await memory.generations()).some(({ id }) => id === restored)) {
      throw new Failure("not_found", `There is no generation ${restored}.`, {
        hint: "memory_generations lists those there are.",
      });
    }
    const { phase } = unwrap(await bot.gatewayStatus());
    await progress("Committing what is there now");
    unwrap(await raced(bot.gatewayRest(), signal));
    const started = phase === "ready";
    // Not of the call's wait: who gives up waiting does not stop what is being put back.
    const restoring = memory
      .restore(restored)
      .then(unwrap)
      .catch(async (error: unknown) => {
        if (started) await bot.gatewayStart();
        throw error;
      });
    const { id, files } = await raced(restoring, signal);
    if (started) {
      await progress("Starting the Moltbot on what was put back");
      unwrap(await raced(bot.gatewayRestart(), signal));
    }
    return {
      data: { generation: id, restored, files, started },
      text: `Generation ${restored} is back as ${id}: ${files} files.${started ? "" : " The next chat starts the Moltbot on it."}`,
    };
  },
});
