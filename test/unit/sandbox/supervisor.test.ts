import { describe, expect, it } from "vitest";
import type { GatewayHost } from "../../../src/sandbox/processes.ts";
import type { GatewayRecord } from "../../../src/sandbox/record.ts";
import { GatewaySupervisor } from "../../../src/sandbox/supervisor.ts";

const MINUTE = 60_000;

/** A container whose processes run until they are ended, and whose gateway answers while it is not hung. */
function container() {
  const started: string[] = [];
  const alive = new Map<string, number | undefined>();
  const stored = new Map<string, GatewayRecord>();
  const state = { running: false, hangs: false, sleeps: 0, cameUp: 0, log: "the end of the log" };
  /** How the next starts of the gateway end; the others do not. */
  const ends: number[] = [];
  const host: GatewayHost = {
    storage: { get: async (key) => stored.get(key), put: async (key, value) => void stored.set(key, value) },
    running: () => state.running,
    async probe() {
      if (state.hangs || !alive.has("gateway") || alive.get("gateway") !== undefined) throw new Error("no answer");
      return new Response(null);
    },
    async write() {
      state.running = true;
    },
    async start(_command, id) {
      state.running = true;
      if (id === "gateway") state.hangs = false;
      started.push(id);
      alive.set(id, id === "prepare" ? 0 : id === "gateway" ? ends.shift() : undefined);
    },
    process: async (id) =>
      alive.has(id) ? { pid: 1, running: alive.get(id) === undefined, exitCode: alive.get(id) } : undefined,
    logs: async () => state.log,
    async signal() {
      for (const id of alive.keys()) alive.set(id, 143);
    },
    async sleep() {
      state.sleeps += 1;
    },
    started: () => {
      state.cameUp += 1;
    },
  };
  const none = { argv: ["true"], env: {} };
  const plan = () => ({ ...none, before: none, companion: none, beside: {}, files: [], port: 1, readyPath: "/" });
  return { host, started, alive, ends, state, stored, make: () => new GatewaySupervisor(host, plan) };
}

describe("the gateway's supervisor", () => {
  it("starts the container's gateway anew only when the container has ended, whoever asks meanwhile", async () => {
    const { make, state } = container();
    const supervisor = make();
    await supervisor.ready();
    const steps: string[] = [];
    const end = supervisor.end({
      before: async () => void steps.push("runs ended"),
      async after() {
        state.running = false;
        steps.push("container stopped");
      },
    });
    await Promise.all([end, supervisor.ready().then(() => steps.push("ready")), supervisor.ready()]);
    expect(steps).toEqual(["runs ended", "container stopped", "ready"]);
    expect(await supervisor.status()).toMatchObject({ phase: "ready", starts: 2 });
    expect(state.cameUp).toBe(2);
  });

  it("made anew in the middle of a start, goes on with it", async () => {
    const { make, stored, started } = container();
    await make().ready();
    const [key, record] = [...stored][0] ?? [];
    if (key && record) stored.set(key, { ...record, phase: "starting" });
    const again = make();
    await again.watch(0);
    expect(await again.status()).toMatchObject({ phase: "ready", starts: 1 });
    expect(started).toEqual(["prepare", "companion", "gateway"]);
  });

  it("made anew in the middle of an end, brings it to its end", async () => {
    const { make, stored, state } = container();
    await make().ready();
    const [key, record] = [...stored][0] ?? [];
    if (key && record) stored.set(key, { ...record, phase: "draining" });
    const again = make();
    expect(await again.status()).toMatchObject({ phase: "draining" });
    await again.watch(0);
    expect(state.sleeps).toBe(1);
  });

  it("starts a companion again that has ended, and tells", async () => {
    const { make, alive, started } = container();
    const supervisor = make();
    await supervisor.ready();
    alive.set("companion", 1);
    await supervisor.watch(0);
    expect(started.slice(3)).toEqual(["companion"]);
    expect((await supervisor.status()).problem).toMatch(/ended 1 times.*exit code 1/);
  });

  it("tries again what took the gateway too long, and not what its configuration forbids", async () => {
    const { make, ends, state } = container();
    const supervisor = make();
    state.log = "Gateway failed to start: state lease heartbeat did not become ready (phase=startup)";
    ends.push(78);
    await supervisor.ready();
    expect(await supervisor.status()).toMatchObject({ phase: "ready", starts: 2 });

    state.log = 'Gateway failed to start: Invalid config: Unrecognized key: "noSuchSetting"';
    ends.push(78);
    await expect(supervisor.restart()).rejects.toMatchObject({ code: "given_up" });
    expect(await supervisor.status()).toMatchObject({
      phase: "failed",
      starts: 3,
      reason: expect.stringMatching(/exit code 78[^]*noSuchSetting/),
    });
  });

  it("tells a gateway that has ended from one that hangs", async () => {
    const { make, alive, state, started } = container();
    const supervisor = make();
    await supervisor.ready();
    state.hangs = true;
    expect(await supervisor.status()).toMatchObject({ phase: "unresponsive" });
    // For a minute that is for whoever needs it.
    await supervisor.watch(0);
    await supervisor.watch(MINUTE / 2);
    expect(started.filter((id) => id === "gateway")).toHaveLength(1);
    await supervisor.watch(2 * MINUTE);
    expect(await supervisor.status()).toMatchObject({ phase: "ready", starts: 2 });

    alive.set("gateway", 137);
    expect(await supervisor.status()).toMatchObject({ phase: "starting", step: expect.stringContaining("137") });
    await supervisor.watch(2 * MINUTE);
    expect(await supervisor.status()).toMatchObject({ phase: "ready", starts: 3 });
  });
});
