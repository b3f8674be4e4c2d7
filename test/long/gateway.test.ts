import { expect, it } from "vitest";
import { killRuns } from "../lifecycle/kill-runs.ts";
import { lifecycleStack } from "../lifecycle/stack.ts";

it("has the gateway ready again, or says why not, when it is killed 20 times at random moments", async () => {
  await using bot = await lifecycleStack();
  const runs = await killRuns(
    bot,
    Array.from({ length: 20 }, (_, n) => 100 + n),
  );
  console.log(runs.map((run) => JSON.stringify(run)).join("\n"));
  expect(runs).toHaveLength(20);
}, 7_200_000);
