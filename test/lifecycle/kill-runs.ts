import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { killGateway, type LifecycleStack, PATIENCE } from "./stack.ts";

export interface KillRun {
  seed: number;
  /** Whether the gateway was there to be killed, or on its way. */
  moment: "ready" | "starting";
  killed: boolean;
  outcome: "ready" | "failed";
  ms: number;
}

/** For each seed the gateway is killed at a random moment, while it is ready or on its way; it has to be ready again, or say why not. */
export async function killRuns(bot: LifecycleStack, seeds: readonly number[]): Promise<KillRun[]> {
  const runs: KillRun[] = [];
  for (const seed of seeds) {
    const random = randomFrom(seed);
    if ((await bot.status()).phase !== "ready") await bot.session.restart();
    const moment = random() < 0.5 ? "ready" : "starting";
    if (moment === "starting") void bot.session.call("bot_restart").catch(() => undefined);
    await sleep(random() * (moment === "ready" ? 2_000 : 12_000));
    const began = Date.now();
    const killed = await killGateway(bot.box);
    const outcome = await settled(bot);
    runs.push({ seed, moment, killed, outcome, ms: Date.now() - began });
    if (outcome === "failed") expect(String((await bot.status()).reason), `seed ${seed}`).toMatch(/gateway/i);
    else
      expect((await bot.session.chat(`say: ${seed}`, { conversation: "killed" })).text, `seed ${seed}`).toContain(
        `${seed}`,
      );
  }
  return runs;
}

async function settled(bot: LifecycleStack): Promise<"ready" | "failed"> {
  let phase: unknown;
  const looked = async () => {
    phase = (await bot.status()).phase;
    return phase === "ready" || phase === "failed";
  };
  // A gateway that was killed just now is not yet known to be.
  await sleep(500);
  await expect.poll(looked, { timeout: 2 * PATIENCE, interval: 500 }).toBe(true);
  return phase === "ready" ? "ready" : "failed";
}

/** A small generator of numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
