import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { isPrivateHost } from "../core/private-host.ts";

/** What the container may reach beside the bridge. */
export interface EgressPolicy {
  /** Hosts and `*.` patterns; undefined for the whole public internet. */
  allow: readonly string[] | undefined;
}

/**
 * What the container sent to the internet, as the platform hands it over: let through to public hosts that are on the
 * list, if there is one. What a name resolves to is for the Worker's own network, which reaches public addresses only.
 */
export async function passOut(request: Request, policy: EgressPolicy): Promise<Response> {
  try {
    const { hostname } = new URL(request.url);
    const reason = refusal(hostname.replace(/\.$/, ""), policy);
    if (reason !== undefined) throw new Failure("forbidden", reason);
    // A redirect is for the container, which asks for its target here again.
    return await fetch(request, { redirect: "manual" });
  } catch (error) {
    const failure = error instanceof Failure ? error : unreachable(request, error);
    log("warn", "egress", { outcome: failure.code, said: failure.message, cause: failure.cause });
    return new Response(`${toFailure(failure).message}\n`, {
      status: failure.status,
      headers: { "content-type": "text/plain" },
    });
  }
}

function refusal(host: string, { allow }: EgressPolicy): string | undefined {
  if (isPrivateHost(host)) return `${host} is not a public address: the sandbox reaches none of them.`;
  if (allow === undefined || allow.some((pattern) => matches(pattern, host))) return undefined;
  return `${host} is not on the list of hosts that the sandbox may reach. Its owner can add it to EGRESS_ALLOW.`;
}

function matches(pattern: string, host: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function unreachable(request: Request, cause: unknown): Failure {
  return new Failure("upstream", `${new URL(request.url).hostname} does not answer.`, { cause });
}
