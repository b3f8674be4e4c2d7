import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../../../src/core/failure.ts";
import type { Reply } from "../../../src/core/reply.ts";
import { botRestart } from "../../../src/tools/bot/restart.ts";
import type { ToolServices } from "../../../src/tools/services.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** bot_restart on a bot whose restart ends as given. */
async function restart(ended: Promise<Reply<unknown>>, signal = new AbortController().signal) {
  const prepared = botRestart.prepare({});
  if (!prepared.ok) throw new Error("It takes no arguments.");
  const services = { bot: { gatewayRestart: () => ended } };
  const call = {
    principal: "me",
    client: "client",
    caller: "me:1",
    scopes: ["control"],
    signal,
    progress: async () => {},
    canAsk: false,
    canTask: false,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is given what it names and nothing else.
  return await prepared.prepared.run(services as unknown as ToolServices, call);
}

describe("a restart", () => {
  it("that takes longer than a call may is said to go on, and is no error", async () => {
    const answered = restart(new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(50_000);
    expect(await answered).toMatchObject({
      data: { phase: "starting" },
      text: expect.stringContaining("bot_status tells when it is ready"),
    });
  });

  it("that ends in time says so", async () => {
    expect(await restart(Promise.resolve({ ok: true, value: {} }))).toMatchObject({ data: { phase: "ready" } });
  });

  it("that fails says why", async () => {
    const failure = new Failure("given_up", "It does not start.").view();
    await expect(restart(Promise.resolve({ ok: false, failure }))).rejects.toMatchObject({ code: "given_up" });
  });

  it("that its caller no longer waits for is not taken for one that goes on", async () => {
    const client = new AbortController();
    const answered = restart(new Promise(() => {}), client.signal);
    client.abort(new Failure("cancelled", "Gone."));
    await expect(answered).rejects.toMatchObject({ code: "cancelled" });
  });
});
