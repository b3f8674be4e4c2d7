import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { channelCall, type Channels, relayChannelCall } from "./channel/channels.ts";
import { type ModelBridge, relayModelCall } from "./model/relay.ts";
import { INTERNAL_HOSTS } from "./addresses.ts";
import { CDP_PATH, MODEL_PATH, STATE_PATH } from "./paths.ts";
import { handleState, type StateBridge } from "./state/routes.ts";

export interface Bridge {
  /** Whether this is the token that the running gateway was given at its start. */
  admits(token: string): Promise<boolean>;
  /** The id of the bot's own container. */
  containerId: string;
  model: ModelBridge;
  channels: Channels;
  state: StateBridge;
  /** Answers as a browser's DevTools port does. */
  browser(request: Request): Promise<Response>;
}

/** What the container may ask of the Worker by its URL, behind the token of the container's present start. */
export async function handleBridge(request: Request, bridge: Bridge): Promise<Response> {
  return await answer(request, bridge, (token) => admitted(token, bridge));
}

/**
 * The same for what the container sent to one of the internal hosts. The platform says whose it is, so the bot's own
 * container needs no token.
 */
export async function handleIntercepted(request: Request, bridge: Bridge, containerId: string): Promise<Response> {
  const url = new URL(request.url);
  const path = INTERNAL_HOSTS[url.hostname.replace(/\.$/, "")] ?? "";
  url.pathname = path + url.pathname;
  const isOwn = containerId === bridge.containerId;
  return await answer(new Request(url, request), bridge, async (token) => isOwn || (await admitted(token, bridge)));
}

/** Without a token nobody is asked: a stranger costs nothing. */
async function admitted(token: string | undefined, bridge: Bridge): Promise<boolean> {
  return token !== undefined && (await bridge.admits(token));
}

async function answer(
  request: Request,
  bridge: Bridge,
  admits: (token: string | undefined) => Promise<boolean>,
): Promise<Response> {
  try {
    const channel = channelCall(request, bridge.channels);
    if (!(await admits(channel?.shown ?? shownToken(request.headers)))) {
      throw new Failure("unauthorized", "The bridge takes only the token of the container's present start.");
    }
    if (channel) return await relayChannelCall(request, channel);
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(`${MODEL_PATH}/`)) {
      return await relayModelCall(request, pathname.slice(MODEL_PATH.length), bridge.model);
    }
    if (pathname.startsWith(`${STATE_PATH}/`)) {
      return await handleState(request, pathname.slice(STATE_PATH.length), bridge.state);
    }
    if (pathname.startsWith(`${CDP_PATH}/`)) return await bridge.browser(browserRequest(request));
    throw new Failure("not_found", "The bridge has no such route.");
  } catch (error) {
    const failure = toFailure(error);
    log("warn", "bridge", { outcome: failure.code, cause: failure.cause });
    // In the shape of the Messages API, whose client is the one that reads it.
    const type = failure.code === "unauthorized" ? "authentication_error" : "api_error";
    return Response.json({ type: "error", error: { type, message: failure.message } }, { status: failure.status });
  }
}

/** Of the request only what DevTools knows: the token is for nobody behind this door. */
function browserRequest(request: Request): Request {
  const url = new URL(request.url);
  url.pathname = url.pathname.slice(CDP_PATH.length);
  const upgrade = request.headers.get("upgrade");
  return new Request(url, { method: request.method, ...(upgrade === null ? {} : { headers: { upgrade } }) });
}

/** The Messages API's client sends its key in x-api-key; others use a bearer token. */
function shownToken(headers: Headers): string | undefined {
  const bearer = /^Bearer (\S+)$/i.exec(headers.get("authorization") ?? "");
  return headers.get("x-api-key") ?? bearer?.[1];
}
