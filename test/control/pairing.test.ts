import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { createDevice, type DeviceKey, signDevice } from "../../src/gateway/device.ts";
import { liveGateway, type LiveGateway } from "../gateway/live-gateway.ts";
import { passWorker } from "./worker.ts";

const ORIGIN = "https://ui.example";
/** Anything but loopback: the gateway lets a browser of its own machine in by itself. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === "IPv4" && !found.internal)?.address;

const SCOPES = ["operator.read", "operator.write"];
const challengeSchema = z.object({ payload: z.object({ nonce: z.string(), ts: z.number() }) });
const answerSchema = z.object({
  ok: z.boolean(),
  payload: z.object({ auth: z.object({ deviceToken: z.string().optional() }).optional() }).optional(),
  error: z
    .object({
      code: z.string(),
      details: z.looseObject({ requestId: z.string().optional(), code: z.string().optional() }).optional(),
    })
    .optional(),
});

let gateway: LiveGateway;
let worker: Awaited<ReturnType<typeof passWorker>>;
const received: string[] = [];
beforeAll(async () => {
  if (address === undefined) return;
  gateway = await liveGateway({ bind: "lan", origins: [ORIGIN] });
  await gateway.ready();
  worker = await passWorker({ url: `http://${address}:${gateway.port}`, token: gateway.token });
});
afterAll(async () => {
  await worker?.close();
  await gateway?.close();
});

/** Connects as the Control UI does: with its own key, and with no token but one of its own from before. */
async function greet(device: DeviceKey, own?: string, origin = ORIGIN): Promise<z.output<typeof answerSchema>> {
  const socket = new WebSocket(`${worker.url.replace("http", "ws")}/`, { origin });
  const frames: unknown[] = [];
  socket.on("message", (data: Buffer) => {
    const text = data.toString();
    received.push(text);
    frames.push(JSON.parse(text));
  });
  await once(socket, "message");
  const { nonce, ts } = challengeSchema.parse(frames[0]).payload;
  const [id, mode] = ["openclaw-control-ui", "webchat"];
  const claim = {
    clientId: id,
    clientMode: mode,
    role: "operator",
    scopes: SCOPES,
    token: own ?? "",
    nonce,
    signedAt: ts,
  };
  const params = {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id, mode, version: "1.0.0", platform: "web" },
    role: "operator",
    scopes: SCOPES,
    caps: [],
    ...(own === undefined ? {} : { auth: { token: own } }),
    device: await signDevice(device, claim),
  };
  socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params }));
  await expect
    .poll(() => frames.some((frame) => z.object({ type: z.literal("res") }).safeParse(frame).success))
    .toBe(true);
  socket.close();
  return answerSchema.parse(frames.find((frame) => z.object({ type: z.literal("res") }).safeParse(frame).success));
}

async function approve(requestId: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1/admin/rpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json" },
    body: JSON.stringify({ method: "device.pair.approve", params: { requestId } }),
  });
  expect(await response.json()).toMatchObject({ ok: true });
}

describe.skipIf(address === undefined)("a browser at the real gateway, which sees it as one from elsewhere", () => {
  it("is let in once a person has approved its key, and never sees the gateway's token", async () => {
    const device = await createDevice();
    const first = await greet(device);
    expect(first).toMatchObject({ ok: false, error: { code: "NOT_PAIRED" } });
    await approve(first.error?.details?.requestId ?? "");
    const second = await greet(device);
    expect(second).toMatchObject({ ok: true });
    // It keeps what it got, and shows that from then on; the same key, the same signature.
    const own = z.string().parse(second.payload?.auth?.deviceToken);
    expect(await greet(device, own)).toMatchObject({ ok: true });
    // Also one that the gateway does not know any more, as after a start with another token.
    expect(await greet(device, "of-another-time")).toMatchObject({ ok: true });
    expect(received.filter((text) => text.includes(gateway.token))).toEqual([]);
  });

  it("is not let in with another's key, or from a page of another site", async () => {
    const [mine, other] = [await createDevice(), await createDevice()];
    expect(await greet({ ...other, id: mine.id })).toMatchObject({ ok: false });
    expect(await greet(mine, undefined, "https://elsewhere.example")).toMatchObject({ ok: false });
  });
});
