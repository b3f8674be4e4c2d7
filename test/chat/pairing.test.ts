import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { CHAT_SCOPES, connectGateway } from "../../src/gateway/connect.ts";
import { createDevice } from "../../src/gateway/device.ts";
import { gatewayPairings, PAIRING_SCOPE } from "../../src/gateway/pairings.ts";
import { liveGateway, type LiveGateway } from "../gateway/live-gateway.ts";
import { nodeAccess } from "../gateway/node-access.ts";

/** Under this address the gateway sees a stranger, as it does when the Worker comes from outside the container. */
const OUTSIDE = Object.values(networkInterfaces())
  .flat()
  .find((address) => address && !address.internal && address.family === "IPv4")?.address;

let gateway: LiveGateway;
beforeAll(async () => {
  gateway = await liveGateway({ bind: "lan" });
  await gateway.ready();
}, 120_000);
afterAll(() => gateway?.close());

describe.skipIf(OUTSIDE === undefined)("a device from outside", { timeout: 30_000 }, () => {
  test("is approved on first contact, and known from then on", async () => {
    const access = nodeAccess(gateway, OUTSIDE);
    let approvals = 0;
    const counting = {
      ...access,
      fetch: (path: string, init?: RequestInit) => {
        approvals += 1;
        return access.fetch(path, init);
      },
    };
    const device = await createDevice();
    for (const _contact of ["first", "second"]) {
      const connection = await connectGateway(counting, { device, scopes: CHAT_SCOPES, onEvent: () => {} });
      expect(connection.hello?.auth.scopes).toEqual([...CHAT_SCOPES]);
      await connection.request("sessions.list", { limit: 1 }, z.object({ sessions: z.array(z.unknown()) }));
      connection.close();
    }
    expect(approvals).toBe(1);
  });

  test("is let ask who wants to write to the bot as well, and chats as before", async () => {
    const access = nodeAccess(gateway, OUTSIDE);
    const device = await createDevice();
    for (const scopes of [CHAT_SCOPES, [...CHAT_SCOPES, PAIRING_SCOPE], CHAT_SCOPES, [...CHAT_SCOPES, PAIRING_SCOPE]]) {
      const connection = await connectGateway(access, { device, scopes, onEvent: () => {} });
      expect(connection.hello?.auth.scopes.toSorted()).toEqual(scopes.toSorted());
      const asked = gatewayPairings((...call) => connection.request(...call)).list();
      // This gateway is on no chat service.
      if (scopes.length > CHAT_SCOPES.length) expect(await asked).toEqual({ accounts: [], requests: [] });
      else await expect(asked).rejects.toThrow(/scope/);
      connection.close();
    }
  });

  test("is refused with another token than the gateway's", async () => {
    const access = nodeAccess({ ...gateway, token: "wrong" }, OUTSIDE);
    const attempt = connectGateway(access, { device: await createDevice(), scopes: CHAT_SCOPES, onEvent: () => {} });
    await expect(attempt).rejects.toMatchObject({ code: "invalid_input" });
  });
});
