import { z } from "zod";
import { deadline, pause, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { GatewayAccess } from "./access.ts";
import { GatewayConnection } from "./connection.ts";
import { type DeviceKey, signDevice } from "./device.ts";
import { challenge, hello, pairingRequest, parse, PROTOCOL, type WireError, wireFailure } from "./protocol.ts";

/** A start from nothing, tried again once: a container, 10 to 45 s of gateway, a restore. */
const READY_MS = 240_000;
/** From socket to hello-ok; measured at 40 ms, and 2 s right after a start. */
const HELLO_MS = 15_000;
/** A gateway that still starts its sidecars refuses with a delay to wait; this often. */
const ATTEMPTS = 8;
/** The names the gateway allows to a backend of its own operator. */
const CLIENT = { id: "gateway-client", mode: "backend", version: "1.0.0", platform: "cloudflare" } as const;
const ROLE = "operator";
/** Without "approvals" the gateway takes us for a run nobody watches and denies what it should ask about. */
const CAPS = ["tool-events", "approvals"];

export const CHAT_SCOPES = ["operator.read", "operator.write", "operator.approvals"] as const;

export interface ConnectOptions {
  device: DeviceKey;
  scopes: readonly string[];
  /** Every event after the handshake, in order. */
  onEvent(event: string, payload: unknown): void;
  signal?: AbortSignal;
}

/**
 * An authenticated connection; starts the gateway when it is down. On first contact from outside the container the
 * gateway wants the device to be approved, which the bearer of the gateway's token may do.
 */
export async function connectGateway(access: GatewayAccess, options: ConnectOptions): Promise<GatewayConnection> {
  const token = await started(access, options.signal);
  for (let attempt = 1; ; attempt++) {
    const outcome = await greet(access, token, options);
    if (outcome.connection) return outcome.connection;
    if (attempt === ATTEMPTS) throw wireFailure("connect", outcome.error);
    const requestId = pairingRequest(outcome.error);
    if (requestId !== undefined) await approve(access, token, requestId, options.signal);
    else if (outcome.error.retryable) await pause(outcome.error.retryAfterMs ?? 500, options.signal);
    else throw wireFailure("connect", outcome.error);
  }
}

async function started(access: GatewayAccess, signal: AbortSignal | undefined): Promise<string> {
  using limited = deadline(READY_MS, signal);
  return (await raced(access.ready(limited.signal), limited.signal).catch(unreachable)).token;
}

type Greeting = { connection: GatewayConnection; error?: never } | { connection?: never; error: WireError };

async function greet(access: GatewayAccess, token: string, options: ConnectOptions): Promise<Greeting> {
  using limited = deadline(HELLO_MS, options.signal);
  const challenged = Promise.withResolvers<unknown>();
  const opening = access.socket().catch(unreachable);
  const socket = await raced(opening, limited.signal).catch((error: unknown) => {
    // A socket that comes after the wait is over has nobody to close it but this line.
    opening.then((late) => late.close(1000)).catch(() => {});
    throw error;
  });
  const connection = new GatewayConnection(socket, (event, payload) => {
    if (event === "connect.challenge") challenged.resolve(payload);
    else options.onEvent(event, payload);
  });
  try {
    const early = connection.ended.then((failure) => Promise.reject(failure));
    const { nonce, ts } = parse(
      challenge,
      await raced(Promise.race([challenged.promise, early]), limited.signal),
      "a challenge",
    );
    const { scopes, device } = options;
    const proof = await signDevice(device, {
      clientId: CLIENT.id,
      clientMode: CLIENT.mode,
      role: ROLE,
      scopes,
      token,
      nonce,
      signedAt: ts,
    });
    const answer = await connection.exchange(
      "connect",
      {
        minProtocol: PROTOCOL,
        maxProtocol: PROTOCOL,
        client: CLIENT,
        role: ROLE,
        scopes,
        caps: CAPS,
        auth: { token },
        device: proof,
      },
      { signal: limited.signal },
    );
    if (!answer.ok) {
      connection.close();
      return { error: answer.error };
    }
    const greeting = parse(hello, answer.payload, "a hello");
    const missing = scopes.filter((scope) => !greeting.auth.scopes.includes(scope));
    if (missing.length > 0) {
      throw new Failure("forbidden", `The gateway did not grant ${missing.join(", ")}.`, {
        hint: "The device's approval in the gateway may have been narrowed; remove the device there and try again.",
      });
    }
    connection.greet(greeting);
    return { connection };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The way to the container may break below anything that throws a Failure; it may work again in a moment. */
function unreachable(error: unknown): never {
  if (error instanceof Failure) throw error;
  throw new Failure("unavailable", "The gateway cannot be reached.", { hint: "Try again in a moment.", cause: error });
}

const adminAnswer = z.object({ ok: z.boolean(), error: z.object({ message: z.string() }).optional() });

async function approve(
  access: GatewayAccess,
  token: string,
  requestId: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  using limited = deadline(HELLO_MS, signal);
  const asked = access.fetch("/api/v1/admin/rpc", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ method: "device.pair.approve", params: { requestId } }),
  });
  const response = await raced(asked, limited.signal).catch(unreachable);
  const read = response.json().catch(() => undefined);
  const body = adminAnswer.safeParse(await raced(read, limited.signal));
  // An approval that lost a race shows as a refusal here and as success on the next connect.
  if (response.status >= 500 || !body.success) {
    throw new Failure("upstream", "The gateway did not approve this Worker's device.", {
      cause: `status ${response.status}`,
    });
  }
}
