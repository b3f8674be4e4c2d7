import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { conformance } from "../conformance/suite.ts";
import { type TokenDoor, tokenDoor } from "../conformance/token-door.ts";
import { signIn } from "./client.ts";

const bot = inject("bot");

let door: TokenDoor;
beforeAll(async () => {
  door = await tokenDoor(`${bot.url}/mcp`, await signIn(bot));
});
afterAll(() => door?.close());

/** What the suite can ask of any server: it needs no tool or resource of its own. */
describe("the real server", () => {
  it.each([
    ["2025-11-25", "server-initialize"],
    ["2025-11-25", "ping"],
    ["2025-11-25", "tools-list"],
    ["2025-11-25", "resources-list"],
    ["2025-11-25", "prompts-list"],
    ["2025-11-25", "dns-rebinding-protection"],
    ["2026-07-28", "tools-list"],
    ["2026-07-28", "resources-list"],
    ["2026-07-28", "prompts-list"],
    ["2026-07-28", "dns-rebinding-protection"],
    ["2026-07-28", "caching"],
    ["2026-07-28", "sep-2164-resource-not-found"],
    ["2026-07-28", "http-header-validation"],
    ["2026-07-28", "input-required-result-unsupported-methods"],
  ])("passes %s %s", async (version, scenario) => {
    const run = await conformance(door.url, ["--scenario", scenario, "--spec-version", version]);
    expect(run.passed, `${JSON.stringify(run.failures, null, 2)}\n${run.output}`).toBe(true);
  });
  it("passes 2026-07-28 server-stateless, but for what needs tools of the suite", async () => {
    const run = await conformance(door.url, ["--scenario", "server-stateless", "--spec-version", "2026-07-28"]);
    const [failures = []] = Object.values(run.failures);
    expect(run.scenarios).toEqual(["server-stateless"]);
    expect(failures.filter((failure) => !failure.includes("'test_missing_capability'"))).toEqual([]);
  });
});
