import { z } from "zod";
import { pause } from "../../core/deadline.ts";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";

/** Clients cut a call at about a minute. */
const PATIENCE_MS = 48_000;
const LOOK_EVERY_MS = 500;

export const botWake = defineTool({
  name: "bot_wake",
  title: "Wake the Moltbot",
  description:
    "Starts the Moltbot when it is asleep, or anew when it hangs, and waits until it is ready: 10 to 60 s, with progress. When it takes longer it goes on, and bot_status tells when it is ready. Not needed before a chat, which wakes it too.",
  scope: "chat",
  effect: "write",
  idempotent: true,
  needs: ["bot"],
  input: z.strictObject({}),
  output: z.object({ phase: z.enum(["ready", "starting"]) }),
  deadlineMs: 58_000,
  async run(_input, { bot }, { signal, progress }) {
    const end = Date.now() + PATIENCE_MS;
    let said: string | undefined;
    for (;;) {
      // Asked each time: an end in order that was under way has to be over before it can be started.
      const { phase, step, reason } = unwrap(await bot.gatewayStart());
      if (phase === "ready") return { data: { phase: "ready" as const }, text: "The Moltbot is ready." };
      if (phase === "failed") {
        throw new Failure("given_up", `The Moltbot does not start. ${reason ?? ""}`.trim(), {
          hint: "Mend what bot_logs shows, then call bot_restart.",
        });
      }
      const doing = step ?? `The Moltbot is ${phase}`;
      if (doing !== said) await progress(doing);
      said = doing;
      if (Date.now() > end) {
        const text = "The Moltbot is still starting. bot_status tells when it is ready, or why it is not.";
        return { data: { phase: "starting" as const }, text };
      }
      await pause(LOOK_EVERY_MS, signal);
    }
  },
});
