import { z } from "zod";
import { NOTHING } from "./input.ts";
import { type Route, route } from "./route.ts";

/** One request, as the list names it. */
const named = z.strictObject({
  channel: z.string().regex(/^[a-z0-9-]{1,64}$/),
  account: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/),
  requestId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
});

/**
 * Who asks to write to the bot on a chat service. All of it needs the running gateway (503 `unavailable` with what to do
 * otherwise), and speaks with it on a connection of its own: the page asks when it is looked at, not every second.
 *
 * - `GET pairings` → `{ accounts: [{ channel, channelName, account }], requests: [{ requestId, channel, channelName,
 *   account, sender, details: { name: value }, requestedAt, expiresAt }] }`. No accounts: the bot is on no service where
 *   strangers have to ask. What is in `details` was chosen by whoever asks.
 * - `POST pairings/approve {channel, account, requestId}` → `{ told }`: whether the service has let them know.
 * - `POST pairings/reject {channel, account, requestId}` → `{}`. They may ask again.
 */
export const PAIRING_ROUTES: readonly Route[] = [
  route({ method: "GET", path: "pairings", input: NOTHING, run: (_input, { admin }) => admin.pairings.list() }),
  route({
    method: "POST",
    path: "pairings/approve",
    input: named,
    run: (request, { admin }) => admin.pairings.approve(request),
  }),
  route({
    method: "POST",
    path: "pairings/reject",
    input: named,
    async run(request, { admin }) {
      await admin.pairings.reject(request);
      return {};
    },
  }),
];
