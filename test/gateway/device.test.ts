import { createPublicKey, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createDevice, deviceKey, devicePayload, signDevice } from "../../src/gateway/device.ts";

const CLAIM = {
  clientId: "gateway-client",
  clientMode: "backend",
  role: "operator",
  scopes: ["operator.read", "operator.write"],
  token: "secret",
  nonce: "n-1",
  signedAt: 1_700_000_000_000,
};

describe("a device", () => {
  test("survives being stored as JSON", async () => {
    const device = await createDevice();
    const stored = deviceKey.parse(JSON.parse(JSON.stringify(device)));
    expect(stored).toEqual(device);
    expect(await signDevice(stored, CLAIM)).toEqual(await signDevice(device, CLAIM));
  });

  test("signs what the gateway checks, and nothing else verifies", async () => {
    const device = await createDevice();
    const proof = await signDevice(device, CLAIM);
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: proof.publicKey }, format: "jwk" });
    const signature = Buffer.from(proof.signature, "base64url");
    const signed = (claim: typeof CLAIM) => verify(null, Buffer.from(devicePayload(device.id, claim)), key, signature);
    expect(signed(CLAIM)).toBe(true);
    expect(signed({ ...CLAIM, nonce: "n-2" })).toBe(false);
    expect(signed({ ...CLAIM, scopes: ["operator.admin"] })).toBe(false);
  });

  test("writes the claim as the protocol's version 2 does", () => {
    expect(devicePayload("abc", CLAIM)).toBe(
      "v2|abc|gateway-client|backend|operator|operator.read,operator.write|1700000000000|secret|n-1",
    );
  });
});
