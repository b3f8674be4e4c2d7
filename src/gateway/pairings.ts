import { z } from "zod";
import { Failure } from "../core/failure.ts";

/** Somebody who wrote to the bot on a chat service, and is heard once a person lets them in. Times are ISO 8601. */
export interface PairingRequest {
  requestId: string;
  /** "telegram", "slack". */
  channel: string;
  /** The service's own name. */
  channelName: string;
  /** Which of the bot's accounts there; "default" where it has one. */
  account: string;
  /** As the service knows them: a number for Telegram. */
  sender: string;
  /** What else the service tells of them, such as their name; the person who asks chose it. */
  details: Record<string, string>;
  requestedAt: string;
  /** Nobody hears of it after that; who asked may ask again. */
  expiresAt: string;
}

export interface PairingList {
  /** The accounts on which strangers have to ask. Empty: the bot is on no chat service. */
  accounts: { channel: string; channelName: string; account: string }[];
  requests: PairingRequest[];
}

export type PairingName = Pick<PairingRequest, "channel" | "account" | "requestId">;

/** Who may write to the bot on chat services. Calls throw Failures. */
export interface GatewayPairings {
  list(): Promise<PairingList>;
  /** Lets them write to the bot directly; `told`: the service has let them know. */
  approve(request: PairingName): Promise<{ told: boolean }>;
  /** Drops what was asked. It bars nobody: they may ask again. */
  reject(request: PairingName): Promise<void>;
}

/** What the calls need beside what a chat does. */
export const PAIRING_SCOPE = "operator.pairing";

/** A call of the gateway's methods over its WebSocket; these are on no list for HTTP. */
export type GatewayCall = <T>(method: string, params: Record<string, unknown>, result: z.ZodType<T>) => Promise<T>;

const accountSchema = z.object({ channel: z.string(), channelLabel: z.string(), accountId: z.string() });
const listSchema = z.object({
  accounts: z.array(accountSchema),
  requests: z.array(
    accountSchema.extend({
      requestId: z.string(),
      senderId: z.string(),
      metadata: z.record(z.string(), z.string()).default({}),
      createdAt: z.string(),
      expiresAt: z.string(),
    }),
  ),
});

export function gatewayPairings(call: GatewayCall): GatewayPairings {
  const list = async (): Promise<PairingList> => {
    const { accounts, requests } = await call("channels.pairing.list", {}, listSchema);
    return {
      accounts: accounts.map(placeOf),
      requests: requests.map(({ requestId, senderId, metadata, createdAt, expiresAt, ...place }) => ({
        requestId,
        ...placeOf(place),
        sender: senderId,
        details: metadata,
        requestedAt: createdAt,
        expiresAt,
      })),
    };
  };
  const decide = async <T>(verb: "approve" | "dismiss", name: PairingName, more: object, result: z.ZodType<T>) => {
    const { channel, account, requestId } = name;
    const { requests } = await list();
    const found = requests.some(
      (each) => each.requestId === requestId && each.channel === channel && each.account === account,
    );
    if (!found) {
      throw new Failure("not_found", "Nobody asks with that id on that account.", {
        hint: "It may have been answered already, or have run out: they can write to the bot again.",
      });
    }
    return await call(`channels.pairing.${verb}`, { channel, accountId: account, requestId, ...more }, result);
  };
  return {
    list,
    async approve(name) {
      const done = await decide("approve", name, { notify: true }, z.object({ notification: z.string() }));
      return { told: done.notification === "sent" };
    },
    async reject(name) {
      await decide("dismiss", name, {}, z.unknown());
    },
  };
}

function placeOf({ channel, channelLabel, accountId }: z.output<typeof accountSchema>) {
  return { channel, channelName: channelLabel, account: accountId };
}
