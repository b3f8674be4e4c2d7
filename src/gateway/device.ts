import { z } from "zod";
import { base64url, hex } from "../core/encoding.ts";

/** What the gateway knows this Worker by: an Ed25519 key, in a form that can be stored as JSON. */
export const deviceKey = z.object({
  /** Lowercase hex SHA-256 of the raw public key. */
  id: z.string().regex(/^[0-9a-f]{64}$/),
  /** Raw public key, base64url. */
  publicKey: z.string(),
  privateKey: z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), d: z.string() }),
});
export type DeviceKey = z.infer<typeof deviceKey>;

const pairSchema = z.object({ publicKey: z.instanceof(CryptoKey), privateKey: z.instanceof(CryptoKey) });

export async function createDevice(): Promise<DeviceKey> {
  const pair = pairSchema.parse(await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]));
  const { privateKey } = deviceKey
    .pick({ privateKey: true })
    .parse({ privateKey: await crypto.subtle.exportKey("jwk", pair.privateKey) });
  const raw = fromBase64Url(privateKey.x);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  return { id: hex(digest), publicKey: privateKey.x, privateKey };
}

export interface DeviceClaim {
  clientId: string;
  clientMode: string;
  role: string;
  scopes: readonly string[];
  token: string;
  /** From the gateway's connect.challenge. */
  nonce: string;
  /** The challenge's ts, in ms: the gateway's clock decides, not ours. */
  signedAt: number;
}

export interface DeviceProof {
  id: string;
  publicKey: string;
  signature: string;
  signedAt: number;
  nonce: string;
}

/** Proves to the gateway that this connection holds the device's key; bound to its nonce, the token and the scopes. */
export async function signDevice(device: DeviceKey, claim: DeviceClaim): Promise<DeviceProof> {
  const key = await crypto.subtle.importKey("jwk", device.privateKey, { name: "Ed25519" }, false, ["sign"]);
  const payload = new TextEncoder().encode(devicePayload(device.id, claim));
  const signature = new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, key, payload));
  return {
    id: device.id,
    publicKey: device.publicKey,
    signature: base64url(signature),
    signedAt: claim.signedAt,
    nonce: claim.nonce,
  };
}

export function devicePayload(deviceId: string, claim: DeviceClaim): string {
  return [
    "v2",
    deviceId,
    claim.clientId,
    claim.clientMode,
    claim.role,
    claim.scopes.join(","),
    String(claim.signedAt),
    claim.token,
    claim.nonce,
  ].join("|");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
