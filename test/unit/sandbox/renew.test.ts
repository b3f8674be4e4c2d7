import { describe, expect, it } from "vitest";
import type { GatewayHost } from "../../../src/sandbox/processes.ts";
import type { GatewayRecord } from "../../../src/sandbox/record.ts";
import { GatewaySupervisor } from "../../../src/sandbox/supervisor.ts";

/** A container in which every process that is started goes on, but for the one that prepares, and every port answers. */
function container() {
  const written: string[] = [];
  const started: string[] = [];
  const stored = new Map<string, GatewayRecord>();
  const host: GatewayHost = {
    storage: {
      get: async (key) => stored.get(key),
      put: async (key, value) => void stored.set(key, value),
    },
    running: () => started.length > 0,
    probe: async () => new Response(null),
    write: async (_path, content) => void written.push(content),
    start: async (_command, id) => void started.push(id),
    process: async (id) => {
      if (!started.includes(id)) return undefined;
      return id === "prepare"
        ? { pid: 1, running: false, exitCode: 0 }
        : { pid: 1, running: true, exitCode: undefined };
    },
    logs: async () => "",
    signal: async () => {},
    sleep: async () => {},
    started: () => {},
  };
  return { host, written, started };
}

describe("a gateway that runs while the settings change", () => {
  it("is given its new files, once, and is not started anew", async () => {
    const { host, written, started } = container();
    let api = "one";
    const process = { argv: ["true"], env: {} };
    const supervisor = new GatewaySupervisor(host, () => ({
      ...process,
      before: process,
      companion: process,
      beside: { helper: process },
      files: [{ path: "/config", content: api }],
      port: 1,
      readyPath: "/",
    }));
    const { bridge } = await supervisor.ready();
    await supervisor.ready();
    expect(written).toEqual(["one"]);
    api = "two";
    expect((await supervisor.ready()).bridge).toBe(bridge);
    await supervisor.ready();
    expect(written).toEqual(["one", "two"]);
    expect(started).toEqual(["prepare", "companion", "helper", "gateway"]);
  });
});
