import { Failure } from "../../core/failure.ts";
import { log } from "../../core/log.ts";
import { scrub } from "../model/scrub.ts";

/** What the container may call of a chat service, with the owner's tokens. */
export interface Channels {
  telegram: string | undefined;
  slack: { bot: string; app: string } | undefined;
  /** Where the services are; loopback in tests. */
  telegramUrl: string;
  slackUrl: string;
}

export const TELEGRAM_PATH = "/bridge/telegram";
export const SLACK_PATH = "/bridge/slack";

/**
 * What the container has in place of the tokens. They look as the services' libraries want them to, and what is in
 * them is the token of the present start, by which the bridge knows its container.
 */
export function placeholders(bridgeToken: string): { telegram: string; slackBot: string; slackApp: string } {
  return { telegram: `0:${bridgeToken}`, slackBot: `xoxb-${bridgeToken}`, slackApp: `xapp-${bridgeToken}` };
}

/** One call of a chat service: what was shown for a token, and the call with the real one. */
export interface ChannelCall {
  shown: string;
  url: string;
  /** Undefined when the token is part of the URL. */
  authorization: string | undefined;
  secret: string;
}

const METHOD = /^[A-Za-z0-9._-]+$/;

/** Which call this is, or undefined when there is none like it. Nothing has been checked but its form. */
export function channelCall(request: Request, channels: Channels): ChannelCall | undefined {
  const { pathname, search } = new URL(request.url);
  if (pathname.startsWith(`${TELEGRAM_PATH}/`)) return telegramCall(pathname, search, channels);
  if (pathname.startsWith(`${SLACK_PATH}/`)) return slackCall(request, pathname, search, channels);
  return undefined;
}

/** `/bot<token>/<method>`, and `/file/bot<token>/<path>` for what people sent. */
function telegramCall(pathname: string, search: string, channels: Channels): ChannelCall | undefined {
  const [, file = "", shown, rest = ""] =
    /^(\/file)?\/bot0(?::|%3A)([^/]+)\/(.+)$/i.exec(pathname.slice(TELEGRAM_PATH.length)) ?? [];
  const { telegram: token } = channels;
  if (shown === undefined || token === undefined || !rest.split("/").every((part) => METHOD.test(part)))
    return undefined;
  const url = `${channels.telegramUrl}${file}/bot${token}/${rest}${search}`;
  return { shown, url, authorization: undefined, secret: token };
}

/** `/<method>` with a bearer token: of the bot, or of the app for the socket's address. */
function slackCall(request: Request, pathname: string, search: string, channels: Channels): ChannelCall | undefined {
  const method = pathname.slice(SLACK_PATH.length + 1);
  const [, kind, shown] = /^Bearer (xoxb|xapp)-(\S+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  if (shown === undefined || channels.slack === undefined || !METHOD.test(method)) return undefined;
  const token = kind === "xapp" ? channels.slack.app : channels.slack.bot;
  return { shown, url: `${channels.slackUrl}/${method}${search}`, authorization: `Bearer ${token}`, secret: token };
}

/** Of the container's headers, those that say what the body is. */
const PASSED_ON = ["content-type", "accept"];
const PASSED_BACK = ["content-type", "content-length", "retry-after"];

/** The body of an answer is looked through only up to this: beyond are files, which know no token. */
const MOST_TEXT = 4 * 1024 * 1024;

/** Carries out a call that was let in. The token is added here, and taken out of what comes back. */
export async function relayChannelCall(request: Request, call: ChannelCall): Promise<Response> {
  const headers = new Headers();
  for (const name of PASSED_ON) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (call.authorization !== undefined) headers.set("authorization", call.authorization);
  const started = Date.now();
  const answer = await fetch(call.url, {
    method: request.method,
    headers,
    body: request.body,
    signal: request.signal,
    redirect: "manual",
  }).catch((cause: unknown) => {
    // The URL may hold the token: the log redacts it, and nobody else sees the cause.
    throw new Failure("upstream", "The chat service cannot be reached.", { cause });
  });
  log(answer.ok ? "info" : "warn", "channel.call", { outcome: answer.status, ms: Date.now() - started });
  const kept = new Headers({ "cache-control": "no-store" });
  for (const name of PASSED_BACK) {
    const value = answer.headers.get(name);
    if (value !== null) kept.set(name, value);
  }
  const isText = /json|text/.test(answer.headers.get("content-type") ?? "");
  if (!isText || Number(answer.headers.get("content-length") ?? 0) > MOST_TEXT) {
    return new Response(answer.body, { status: answer.status, headers: kept });
  }
  kept.delete("content-length");
  return new Response(scrub(await answer.text(), [call.secret]), { status: answer.status, headers: kept });
}
