import { expect, it } from "vitest";
import { killRuns } from "./kill-runs.ts";

it("keeps the memory whole and young when the bot, the keeper, the jail or the Worker is killed, 20 times", async () => {
  const seeds = Array.from({ length: 20 }, (_, n) => n + 1);
  const runs = await killRuns(seeds);
  expect(new Set(runs.map(({ victim }) => victim)).size).toBe(4);
}, 600_000);
