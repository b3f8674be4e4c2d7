import { networkInterfaces } from "node:os";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Failure } from "../../src/core/failure.ts";
import { CHAT_SCOPES, connectGateway } from "../../src/gateway/connect.ts";
import type { GatewayConnection } from "../../src/gateway/connection.ts";
import { createDevice, type DeviceKey } from "../../src/gateway/device.ts";
import { gatewayDevices } from "../../src/gateway/devices.ts";
import { gatewayJobs, type NewJob } from "../../src/gateway/jobs.ts";
import { callGateway, type GatewayPost } from "../../src/gateway/rpc.ts";
import { liveGateway, type LiveGateway } from "../gateway/live-gateway.ts";
import { nodeAccess } from "../gateway/node-access.ts";

/** The gateway trusts what comes over loopback; by another address of this machine everybody is a stranger. */
const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

let gateway: LiveGateway;
beforeAll(async () => {
  gateway = await liveGateway({ bind: "lan" });
  await gateway.ready();
});
afterAll(() => gateway.close());

const post: GatewayPost = async (path, body) => {
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json" },
    body,
  });
  return { ok: true, value: { body: await response.text() } };
};

/** Something else in the gateway's place. */
function answering(body: string): GatewayPost {
  return () => Promise.resolve({ ok: true, value: { body } });
}

function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing was thrown",
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

describe("a call of the gateway", () => {
  it("fails as the gateway says", async () => {
    expect(await codeOf(callGateway(post, "sessions.delete", {}, z.unknown()))).toBe("invalid_input");
    expect(await codeOf(callGateway(post, "cron.status", { colour: "red" }, z.unknown()))).toBe("invalid_input");
    expect(await codeOf(callGateway(post, "cron.status", {}, z.object({ jobs: z.string() })))).toBe("upstream");
  });

  it("says when it comes too often", async () => {
    const error = {
      code: "UNAVAILABLE",
      message: "rate limit exceeded for cron.add; retry after 47s",
      details: { method: "cron.add", limit: "30 per 60s" },
      retryable: true,
      retryAfterMs: 46_554,
    };
    const busy: GatewayPost = () =>
      Promise.resolve({ ok: true, value: { body: JSON.stringify({ ok: false, error }) } });
    await expect(callGateway(busy, "cron.add", {}, z.unknown())).rejects.toMatchObject({
      code: "limited",
      hint: "Try again in 47 s.",
    });
  });

  it("fails when what answers is no gateway, or none may be asked", async () => {
    expect(await codeOf(callGateway(answering("<html>"), "cron.status", {}, z.unknown()))).toBe("upstream");
    const failure = { code: "unavailable", message: "It sleeps.", hint: "Start it." } as const;
    const asleep: GatewayPost = () => Promise.resolve({ ok: false, failure });
    await expect(callGateway(asleep, "cron.status", {}, z.unknown())).rejects.toMatchObject(failure);
  });
});

describe.skipIf(outside === undefined)("the gateway's devices", () => {
  const devices = gatewayDevices(post);
  const open: GatewayConnection[] = [];
  afterEach(() => {
    for (const connection of open.splice(0)) connection.close();
  });

  /** Connects as a device that nobody lets in by itself. */
  async function knock(device: DeviceKey): Promise<string> {
    const access = { ...nodeAccess(gateway, outside), fetch: () => Promise.resolve(Response.json({ ok: true })) };
    const options = { device, scopes: CHAT_SCOPES, onEvent: () => {} };
    return await connectGateway(access, options).then(
      (connection) => {
        open.push(connection);
        return "in";
      },
      (error: unknown) => (error instanceof Failure ? error.code : String(error)),
    );
  }

  const requestOf = async ({ id }: DeviceKey) =>
    (await devices.list()).pending.find(({ deviceId }) => deviceId === id)?.requestId ?? "none";

  it("are let in by their request, and are out when revoked", async () => {
    const device = await createDevice();
    expect(await knock(device)).toBe("unauthorized");
    const { pending } = await devices.list();
    expect(pending).toContainEqual({
      requestId: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
      deviceId: device.id,
      name: "This Worker",
      platform: "cloudflare",
      role: "operator",
      scopes: [...CHAT_SCOPES],
      requestedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const requestId = await requestOf(device);
    await devices.approve(requestId);
    expect(await codeOf(devices.approve(requestId))).toBe("not_found");
    expect(await knock(device)).toBe("in");
    const { paired } = await devices.list();
    expect(paired.find(({ deviceId }) => deviceId === device.id)).toMatchObject({
      pairedAt: expect.stringMatching(/Z$/),
      lastSeenAt: expect.stringMatching(/Z$/),
    });

    await devices.revoke(device.id);
    await open[0]?.ended;
    expect(await codeOf(devices.revoke(device.id))).toBe("not_found");
    expect(await knock(device)).toBe("unauthorized");
  });

  it("stay out when rejected", async () => {
    const device = await createDevice();
    await knock(device);
    await devices.reject(await requestOf(device));
    expect(await requestOf(device)).toBe("none");
    expect(await codeOf(devices.reject("nothing"))).toBe("not_found");
  });
});

describe("the gateway's jobs", () => {
  const jobs = gatewayJobs(post);
  const job: NewJob = {
    name: "Water the plants",
    schedule: { cron: "0 8 * * 1-5", timezone: "Europe/Vienna" },
    message: "say: water the plants",
    session: "agent:main:mcp:0123456789abcdef01234567:main",
  };
  afterEach(async () => {
    for (const { id } of await jobs.list()) await jobs.remove(id);
  });

  it("are added, listed, paused, resumed and removed", async () => {
    const added = await jobs.add(job);
    expect(added).toMatchObject({
      name: job.name,
      schedule: "at 0 8 * * 1-5 (Europe/Vienna)",
      enabled: true,
      running: false,
      session: job.session,
      message: job.message,
    });
    expect(Date.parse(added.nextRunAt ?? "")).toBeGreaterThan(Date.now());
    expect(await jobs.list()).toEqual([added]);

    expect(await jobs.setEnabled(added.id, false)).toMatchObject({ enabled: false });
    expect((await jobs.list())[0]).not.toHaveProperty("nextRunAt");
    expect(await codeOf(jobs.run(added.id))).toBe("conflict");
    expect(await jobs.setEnabled(added.id, true)).toMatchObject({ enabled: true, nextRunAt: added.nextRunAt });
    await jobs.remove(added.id);
    expect(await jobs.list()).toEqual([]);
  });

  it("run now when told to, and keep their schedule", async () => {
    const added = await jobs.add({ ...job, schedule: { everyMinutes: 60 } });
    expect(added.schedule).toBe("every hour");
    await jobs.run(added.id);
    const now = async () => (await jobs.list())[0];
    await expect.poll(now, { timeout: 60_000, interval: 500 }).toMatchObject({ lastRunAt: expect.any(String) });
    await expect.poll(async () => (await now())?.running, { timeout: 60_000, interval: 500 }).toBe(false);
    expect(Date.parse((await now())?.nextRunAt ?? "")).toBeGreaterThan(Date.now() + 50 * 60_000);
    // This gateway has no tools at all, and without any it runs no job.
    expect(await now()).toMatchObject({ lastStatus: "error", lastError: expect.stringMatching(/tools/) });
  });

  it("run once when their time is a moment", async () => {
    const at = new Date(Date.now() + 2_000).toISOString();
    expect(await jobs.add({ ...job, schedule: { at } })).toMatchObject({ schedule: `once at ${at}`, nextRunAt: at });
    const ended = async () => (await jobs.list())[0]?.lastRunAt !== undefined;
    await expect.poll(ended, { timeout: 60_000, interval: 500 }).toBe(true);
    expect((await jobs.list())[0]).toMatchObject({ enabled: false });
  });

  it.each<[string, string, Partial<NewJob>]>([
    ["a time that is past", "invalid_input", { schedule: { at: "2020-01-01T00:00:00Z" } }],
    ["a time that is none", "invalid_input", { schedule: { at: "tomorrow, or so" } }],
    ["no cron expression", "invalid_input", { schedule: { cron: "99 99 * * *" } }],
    ["an unknown time zone", "invalid_input", { schedule: { cron: "0 8 * * *", timezone: "Mars/Base" } }],
  ])("are not made with %s", async (_what, code, change) => {
    expect(await codeOf(jobs.add({ ...job, ...change }))).toBe(code);
    expect(await jobs.list()).toEqual([]);
  });

  it("that are not there are not found", async () => {
    for (const work of [jobs.run("x"), jobs.setEnabled("x", true), jobs.remove("x")]) {
      expect(await codeOf(work)).toBe("not_found");
    }
  });

  it("are listed also when one has a time that no calendar has", async () => {
    const state = { nextRunAtMs: 1e300, lastRunAtMs: -1e300, runningAtMs: 1 };
    const odd = { id: "1", name: "x", enabled: true, schedule: { kind: "every", everyMs: 1 }, payload: {}, state };
    const payload = { jobs: [odd], nextOffset: null };
    const [listed] = await gatewayJobs(answering(JSON.stringify({ ok: true, payload }))).list();
    expect(listed).toEqual({ id: "1", name: "x", schedule: "every 1 ms", enabled: true, running: true });
  });

  it("are listed all, however many pages they take", async () => {
    const one = { enabled: true, schedule: { kind: "on-exit", command: "x" }, payload: { kind: "command" } };
    const pages: GatewayPost = (_path, body) => {
      const { offset } = z.object({ params: z.object({ offset: z.number() }) }).parse(JSON.parse(body)).params;
      const more = offset < 400 ? offset + 200 : null;
      const found = Array.from({ length: 200 }, (_, n) => ({ ...one, id: `${offset + n}`, name: "x" }));
      const payload = { jobs: found, nextOffset: more };
      return Promise.resolve({ ok: true, value: { body: JSON.stringify({ ok: true, payload }) } });
    };
    const listed = await gatewayJobs(pages).list();
    expect(new Set(listed.map(({ id }) => id)).size).toBe(600);
    expect(listed[0]).toEqual({
      id: "0",
      name: "x",
      schedule: "when something happens",
      enabled: true,
      running: false,
    });
  });
});
