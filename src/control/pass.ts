import { Failure } from "../core/failure.ts";
import { type Frame, relay } from "../sandbox/relay.ts";
import { isPersonsFrame, isRunsFrame } from "./activity.ts";
import { withGatewayToken } from "./connect-frame.ts";
import { towardsGateway, towardsPerson } from "./headers.ts";

/** The host name by which the sandbox's object knows that a request is for the gateway's pages. */
export const PASS_HOST = "control.moltbot.internal";

/** How often a person who is busy puts off the container's sleep. */
const USED_EVERY_MS = 5_000;

/** What the sandbox's object has of the gateway. Nothing of it starts anything or puts off sleep but `used`. */
export interface GatewayDoor {
  /** The gateway's port in the container; undefined while no container runs. */
  port: { fetch(request: Request): Promise<Response> } | undefined;
  /**
   * Where people reach it: what the gateway sees as the host. Were it "localhost", the gateway could take a person's browser
   * for one on its own machine, and let it in unpaired.
   */
  controlUrl: string;
  token: string;
  /** A person is at it, or a run goes on. */
  used: () => void;
}

/**
 * A request of a person's browser, answered by the gateway: HTTP with the gateway's token, or a WebSocket whose frames
 * pass untouched but for the first, which gets the token. It has passed the guard, and comes to the object by fetch, as
 * no WebSocket can be handed over by a call. Throws a Failure when there is no gateway to answer.
 */
export async function passToGateway(
  request: Request,
  { port, controlUrl, token, used }: GatewayDoor,
): Promise<Response> {
  if (port === undefined) throw absent();
  const { pathname, search } = new URL(request.url);
  const headers = towardsGateway(request.headers, token);
  const isSocket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  if (isSocket) {
    headers.set("upgrade", "websocket");
    // The token goes with the first frame.
    headers.delete("authorization");
  }
  const { method, body } = request;
  const asked = new Request(`http://${new URL(controlUrl).host}${pathname}${search}`, {
    method,
    headers,
    body,
    redirect: "manual",
  });
  const answer = await port.fetch(asked).catch((cause: unknown) => {
    throw absent(cause);
  });
  if (!answer.webSocket) return towardsPerson(answer);
  return coupled(answer, answer.webSocket, token, seldom(used));
}

function coupled(answer: Response, container: WebSocket, token: string, used: () => void): Response {
  const { 0: browser, 1: person } = new WebSocketPair();
  let connected = false;
  relay({
    person,
    container,
    fromPerson(frame) {
      if (isPersonsFrame(frame)) used();
      if (connected) return frame;
      connected = true;
      return introduced(frame, token);
    },
    fromContainer(frame) {
      if (isRunsFrame(frame)) used();
    },
    onEnd: () => undefined,
  });
  const protocol = answer.headers.get("sec-websocket-protocol");
  const headers = protocol === null ? {} : { "sec-websocket-protocol": protocol };
  return new Response(null, { status: 101, webSocket: browser, headers });
}

/** A first frame that is no `connect` goes on as it is: the gateway knows how to refuse it. */
function introduced(frame: Frame, token: string): Frame {
  return typeof frame === "string" ? (withGatewayToken(frame, token) ?? frame) : frame;
}

function seldom(used: () => void): () => void {
  let last = 0;
  return () => {
    const now = Date.now();
    if (now - last < USED_EVERY_MS) return;
    last = now;
    used();
  };
}

function absent(cause?: unknown): Failure {
  return new Failure("unavailable", "The Moltbot's gateway does not run just now.", {
    hint: "Load the page again: it shows how the Moltbot is, and wakes it.",
    cause,
  });
}
