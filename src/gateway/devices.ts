import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { wireTime } from "./protocol.ts";
import { callGateway, type GatewayPost } from "./rpc.ts";

interface Device {
  deviceId: string;
  name?: string;
  platform?: string;
  role?: string;
  scopes: string[];
}

/** A device that asks to be let in. Times are ISO 8601. */
export interface PendingDevice extends Device {
  requestId: string;
  requestedAt?: string;
}

export interface PairedDevice extends Device {
  pairedAt?: string;
  lastSeenAt?: string;
}

/** The devices of the gateway: browsers with its Control UI, and this Worker itself. Calls throw Failures. */
export interface GatewayDevices {
  list(): Promise<{ pending: PendingDevice[]; paired: PairedDevice[] }>;
  approve(requestId: string): Promise<void>;
  reject(requestId: string): Promise<void>;
  /** Its tokens stop working at once. */
  revoke(deviceId: string): Promise<void>;
}

const deviceSchema = z.object({
  deviceId: z.string(),
  displayName: z.string().optional(),
  clientId: z.string().optional(),
  platform: z.string().optional(),
  role: z.string().optional(),
  scopes: z.array(z.string()).catch([]),
});
const listSchema = z.object({
  pending: z.array(deviceSchema.extend({ requestId: z.string(), ts: wireTime })),
  paired: z.array(deviceSchema.extend({ approvedAtMs: wireTime, lastSeenAtMs: wireTime })),
});

export function gatewayDevices(post: GatewayPost): GatewayDevices {
  const read = () => callGateway(post, "device.pair.list", {}, listSchema);
  const decide = async (method: "approve" | "reject", requestId: string) => {
    const { pending } = await read();
    if (!pending.some((request) => request.requestId === requestId)) {
      throw new Failure("not_found", "No device asks with that id.", { hint: "It may have been answered already." });
    }
    await callGateway(post, `device.pair.${method}`, { requestId }, z.unknown());
  };
  return {
    async list() {
      const { pending, paired } = await read();
      return {
        pending: pending.map(({ requestId, ts, ...device }) => ({
          requestId,
          ...viewOf(device),
          ...(ts === undefined ? {} : { requestedAt: isoTime(ts) }),
        })),
        paired: paired.map(({ approvedAtMs, lastSeenAtMs, ...device }) => ({
          ...viewOf(device),
          ...(approvedAtMs === undefined ? {} : { pairedAt: isoTime(approvedAtMs) }),
          ...(lastSeenAtMs === undefined ? {} : { lastSeenAt: isoTime(lastSeenAtMs) }),
        })),
      };
    },
    approve: (requestId) => decide("approve", requestId),
    reject: (requestId) => decide("reject", requestId),
    async revoke(deviceId) {
      const { paired } = await read();
      if (!paired.some((device) => device.deviceId === deviceId)) {
        throw new Failure("not_found", "There is no such device.", { hint: "It may have been removed already." });
      }
      await callGateway(post, "device.pair.remove", { deviceId }, z.unknown());
    },
  };
}

function viewOf({ deviceId, displayName, clientId, platform, role, scopes }: z.output<typeof deviceSchema>): Device {
  const name = displayName ?? (platform === "cloudflare" ? "This Worker" : clientId);
  return {
    deviceId,
    ...(name === undefined ? {} : { name }),
    ...(platform === undefined ? {} : { platform }),
    ...(role === undefined ? {} : { role }),
    scopes,
  };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
