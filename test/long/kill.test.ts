import { expect, it } from "vitest";
import { killRuns } from "../memory/kill-runs.ts";

it("keeps the memory whole and young when the bot, the keeper, the jail or the Worker is killed, 200 times", async () => {
  const seeds = Array.from({ length: 200 }, (_, n) => 1_000 + n);
  const runs = await killRuns(seeds);
  expect(new Set(runs.map(({ victim }) => victim)).size).toBe(4);
}, 7_200_000);
