import { z } from "zod";
import type { GatewayDevices } from "../gateway/devices.ts";
import { NOTHING } from "./input.ts";
import { type Route, route } from "./route.ts";

const request = z.strictObject({ requestId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) });
/** A device is called by the SHA-256 of its key. */
const device = z.strictObject({ deviceId: z.string().regex(/^[0-9a-f]{64}$/) });

/** The browsers and programs that are let in to the gateway itself. All of it needs the running gateway. */
export const DEVICE_ROUTES: readonly Route[] = [
  route({ method: "GET", path: "devices", input: NOTHING, run: (_input, { admin }) => admin.devices.list() }),
  change("approve", request, (devices, { requestId }) => devices.approve(requestId)),
  change("reject", request, (devices, { requestId }) => devices.reject(requestId)),
  change("revoke", device, (devices, { deviceId }) => devices.revoke(deviceId)),
];

function change<Input extends z.ZodObject>(
  verb: string,
  input: Input,
  work: (devices: GatewayDevices, input: z.output<Input>) => Promise<void>,
): Route {
  return route({
    method: "POST",
    path: `devices/${verb}`,
    input,
    async run(given, { admin }) {
      await work(admin.devices, given);
      return {};
    },
  });
}
