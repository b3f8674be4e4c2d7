import { z } from "zod";
import { deadline, raced } from "../../core/deadline.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";

/** Clients cut a call at about a minute. */
const PATIENCE_MS = 48_000;

export const botRestart = defineTool({
  name: "bot_restart",
  title: "Restart the Moltbot",
  description:
    "Stops the Moltbot's gateway and starts it again; also tries again after failed starts. Chats in progress end. Memory and files stay. Takes 10 to 60 s; when it takes longer it goes on, and bot_status tells when it is ready.",
  scope: "control",
  effect: "destructive",
  needs: ["bot"],
  input: z.strictObject({}),
  output: z.object({ phase: z.enum(["ready", "starting"]) }),
  deadlineMs: 58_000,
  async run(_input, { bot }, { signal, progress }) {
    await progress("Restarting the gateway");
    using patience = deadline(PATIENCE_MS, signal);
    const restarted = raced(bot.gatewayRestart(), patience.signal).then(unwrap);
    return await restarted.then(
      () => ({ data: { phase: "ready" as const }, text: "The Moltbot is ready." }),
      (error: unknown) => {
        if (signal.aborted || !patience.signal.aborted) throw error;
        const text =
          "The Moltbot is still starting. bot_status tells when it is ready, or why it is not; a chat waits for it.";
        return { data: { phase: "starting" as const }, text };
      },
    );
  },
});
