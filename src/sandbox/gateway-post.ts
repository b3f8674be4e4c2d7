import { Failure } from "../core/failure.ts";
import type { Phase } from "./lifecycle.ts";

/** The gateway answers within 35 ms; a busy machine takes its time. */
const WITHIN_MS = 20_000;

export interface Posted {
  status: number;
  body: string;
}

/** POSTs JSON to the gateway's port. `fetcher` is the running container's, so that nothing is started. */
export async function postToGateway(
  fetcher: { fetch(url: string, init: RequestInit): Promise<Response> },
  to: { port: number; path: string; token: string },
  body: string,
  withinMs = WITHIN_MS,
): Promise<Posted> {
  try {
    const response = await fetcher.fetch(`http://localhost:${to.port}${to.path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${to.token}`, "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(withinMs),
    });
    return { status: response.status, body: await response.text() };
  } catch (cause) {
    throw new Failure("unavailable", "The Moltbot's gateway does not answer.", {
      hint: "It may have ended just now: look at its status, then try again.",
      cause,
    });
  }
}

/** Nobody is to be woken for this: whoever asks is told what to do first. */
export function notReady(phase: Phase): Failure {
  const coming = phase === "restoring" || phase === "starting";
  return new Failure("unavailable", `The Moltbot is ${phase}; this needs its running gateway.`, {
    hint: coming ? "It is on its way: try again in a moment." : "Start the Moltbot first.",
  });
}
