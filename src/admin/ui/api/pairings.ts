import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { change, look } from "./call.ts";
import { moment } from "./fields.ts";

const place = z.object({ channel: z.string(), channelName: z.string(), account: z.string() });
const request = place.extend({
  requestId: z.string(),
  sender: z.string(),
  /** Chosen by whoever asks. */
  details: z.record(z.string(), z.string()),
  requestedAt: moment,
  expiresAt: moment,
});
export type Pairing = z.output<typeof request>;

const listSchema = z.object({ accounts: z.array(place), requests: z.array(request) });

/** Each look is a connection to the gateway. */
const REFRESH_MS = 20_000;

/** Answered only while the gateway is ready. */
export const pairings = queryOptions({
  queryKey: ["pairings"],
  queryFn: ({ signal }) => look("pairings", listSchema, { signal }),
  refetchInterval: REFRESH_MS,
});

const named = ({ channel, account, requestId }: Pairing) => ({ channel, account, requestId });

export const approvePairing = (pairing: Pairing) =>
  change("pairings/approve", named(pairing), z.object({ told: z.boolean() }));
export const rejectPairing = (pairing: Pairing) => change("pairings/reject", named(pairing), z.object({}));
