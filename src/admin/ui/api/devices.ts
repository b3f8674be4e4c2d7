import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { change, look } from "./call.ts";
import { moment } from "./fields.ts";

const device = z.object({
  deviceId: z.string(),
  name: z.string().optional(),
  platform: z.string().optional(),
  role: z.string().optional(),
  scopes: z.array(z.string()),
});
export type Device = z.output<typeof device>;

const pending = device.extend({ requestId: z.string(), requestedAt: moment.optional() });
const paired = device.extend({ pairedAt: moment.optional(), lastSeenAt: moment.optional() });
const listSchema = z.object({ pending: z.array(pending), paired: z.array(paired) });

/** Somebody may be waiting at another screen. */
const REFRESH_MS = 5_000;

/** Answered only while the gateway is ready. */
export const devices = queryOptions({
  queryKey: ["devices"],
  queryFn: ({ signal }) => look("devices", listSchema, { signal }),
  refetchInterval: REFRESH_MS,
});

const done = z.object({});

export const approveDevice = (requestId: string) => change("devices/approve", { requestId }, done);
export const rejectDevice = (requestId: string) => change("devices/reject", { requestId }, done);
export const removeDevice = (deviceId: string) => change("devices/revoke", { deviceId }, done);
