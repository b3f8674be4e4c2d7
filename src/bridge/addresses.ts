import { SLACK_PATH, TELEGRAM_PATH } from "./channel/channels.ts";
import { CDP_PATH, MODEL_PATH, STATE_PATH } from "./paths.ts";

/**
 * Names that mean something inside the container only: the platform hands what is sent to them to the Worker, and says
 * which container sent it. Each stands for a path of the bridge, put before the path that was asked for.
 */
export const INTERNAL_HOSTS: Readonly<Record<string, string>> = {
  "bridge.internal": "",
  "browser.internal": CDP_PATH,
  "model.internal": MODEL_PATH,
};

/** Where the container reaches the parts of the bridge; no URL ends in a slash. */
export interface BridgeAddresses {
  model: string;
  state: string;
  telegram: string;
  slack: string;
  browser: string;
  /** Where the browser's WebSockets go when the way above does not carry them. */
  browserFallback: string | undefined;
}

/** By interception, or, where `bridgeUrl` is set, by that URL and the token of the container's start. */
export function bridgeAddresses(options: { bridgeUrl: string | undefined; publicUrl: string }): BridgeAddresses {
  const { bridgeUrl, publicUrl } = options;
  const main = bridgeUrl ?? "http://bridge.internal";
  return {
    model: bridgeUrl === undefined ? "http://model.internal" : bridgeUrl + MODEL_PATH,
    state: main + STATE_PATH,
    telegram: main + TELEGRAM_PATH,
    slack: main + SLACK_PATH,
    browser: bridgeUrl === undefined ? "http://browser.internal" : bridgeUrl + CDP_PATH,
    // The platform's documentation speaks of intercepted HTTP, not of WebSockets.
    browserFallback: bridgeUrl === undefined ? publicUrl + CDP_PATH : undefined,
  };
}
