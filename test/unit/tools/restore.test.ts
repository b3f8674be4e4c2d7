import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/core/failure.ts";
import type { Reply } from "../../../src/core/reply.ts";
import { memoryRestore } from "../../../src/tools/memory/restore.ts";
import type { ToolServices } from "../../../src/tools/services.ts";

const ok = <T>(value: T): Promise<Reply<T>> => Promise.resolve({ ok: true, value });

/** memory_restore of a generation, and what was done to the bot meanwhile. */
async function restore(generation: string, phase: string, restored: Promise<Reply<unknown>>) {
  const done: string[] = [];
  const note = (what: string) => () => {
    done.push(what);
    return ok({});
  };
  const services = {
    memory: { generations: () => ok([{ id: "00000001" }]), restore: () => restored },
    bot: {
      gatewayStatus: () => ok({ phase }),
      gatewayRest: note("rest"),
      gatewayStart: note("start"),
      gatewayRestart: note("restart"),
    },
  };
  const call = {
    principal: "me",
    client: "client",
    caller: "me:1",
    scopes: ["control"],
    signal: new AbortController().signal,
    progress: async () => {},
    canAsk: false,
    canTask: false,
  };
  const prepared = memoryRestore.prepare({ generation });
  if (!prepared.ok) throw new Error("It takes a generation.");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is given what it names and nothing else.
  const ended = await prepared.prepared.run(services as unknown as ToolServices, call).then(
    (answer) => ("data" in answer ? answer.data : {}),
    (error: unknown) => error,
  );
  return { ended, done };
}

describe("an older generation", () => {
  it("that is not there stops nothing", async () => {
    const { ended, done } = await restore("00000002", "ready", ok({}));
    expect(ended).toMatchObject({ code: "not_found", hint: expect.stringContaining("memory_generations") });
    expect(done).toEqual([]);
  });

  it("that cannot be put back leaves a bot that ran running", async () => {
    const failure = new Failure("unavailable", "The bucket does not answer.").view();
    const { ended, done } = await restore("00000001", "ready", Promise.resolve({ ok: false, failure }));
    expect(ended).toMatchObject({ code: "unavailable" });
    expect(done).toEqual(["rest", "start"]);
  });

  it("that cannot be put back wakes no bot that slept", async () => {
    const failure = new Failure("unavailable", "The bucket does not answer.").view();
    const { done } = await restore("00000001", "asleep", Promise.resolve({ ok: false, failure }));
    expect(done).toEqual(["rest"]);
  });

  it("that is put back is what the bot is started on, if it ran", async () => {
    const back = ok({ id: "00000003", files: 2 });
    expect(await restore("00000001", "ready", back)).toEqual({
      ended: { generation: "00000003", restored: "00000001", files: 2, started: true },
      done: ["rest", "restart"],
    });
    expect((await restore("00000001", "asleep", back)).done).toEqual(["rest"]);
  });
});
