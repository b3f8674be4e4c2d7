import { z } from "zod";
import { connectGateway } from "../src/gateway/connect.ts";
import type { GatewayAccess } from "../src/gateway/access.ts";
import { createDevice } from "../src/gateway/device.ts";
import { directAccess, openSocket } from "./direct-chat.ts";
import { compare } from "./measure.ts";

/** What the way through the Worker may add to a round trip. Milliseconds. */
const MOST_MORE_MS = 1;
const ROUNDS = 500;
const SCOPES = ["operator.read"];

/**
 * A request of the Control UI's kind and its answer: through the Worker, its object and the relay, and over a socket to the
 * gateway's port. The guard is before it, and is asked once for each connection. One line of text.
 */
export async function benchControl(worker: string, host: { url: string; token: string }): Promise<string> {
  const direct = await directAccess(worker, host);
  const proxied: GatewayAccess = { ...direct, socket: () => openSocket(`${worker}/bench/control`, host.token) };
  const device = await createDevice();
  const connect = (access: GatewayAccess) => connectGateway(access, { device, scopes: SCOPES, onEvent: () => {} });
  const [ours, peer] = [await connect(proxied), await connect(direct)];
  const name = "WebSocket round trip through the Worker : directly";
  const { oursMs, peerMs } = await compare({
    name,
    target: 0,
    rounds: ROUNDS,
    ours: () => ours.request("cron.status", {}, z.unknown()),
    peer: () => peer.request("cron.status", {}, z.unknown()),
  });
  ours.close();
  peer.close();
  const more = oursMs - peerMs;
  const verdict = more <= MOST_MORE_MS ? "ok" : "OVER";
  return `${name}, ms: ${oursMs.toFixed(2)}, ${peerMs.toFixed(2)} (${more.toFixed(2)} more, at most ${MOST_MORE_MS})  ${verdict}`;
}
