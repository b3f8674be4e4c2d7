import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect, type Session, signIn } from "./client.ts";

let session: Session;
beforeAll(async () => {
  const bot = inject("bot");
  session = await connect(bot, await signIn(bot));
});
afterAll(() => session.close());

describe("a gateway that hangs", () => {
  it("is not taken for one that sleeps, and is ready again when it goes on", async () => {
    const signal = (name: string) => session.call("command_run", { command: `pkill -${name} -f [o]penclaw-gateway` });
    const status = async () => (await session.call("bot_status")).data;
    // Another test may have left it asleep.
    await session.chat("say: awake", { conversation: "hangs" });
    const { starts } = await status();
    await signal("STOP");
    try {
      expect(await status()).toMatchObject({ phase: "unresponsive", starts });
      expect((await session.call("bot_status")).text).toContain("bot_restart");
    } finally {
      await signal("CONT");
    }
    await expect.poll(status, { timeout: 60_000, interval: 500 }).toMatchObject({ phase: "ready", starts });
  });
});
