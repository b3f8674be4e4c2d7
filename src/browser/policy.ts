import { Failure } from "../core/failure.ts";
import { isPrivateHost } from "../core/private-host.ts";

/** Hosts, `host` or `host:port`, that may be opened although they are private. */
export interface UrlPolicy {
  privateHosts: readonly string[];
}

/**
 * Why a page at `text` may not be opened, or undefined. By its text alone: what a public name resolves to is for
 * the network the browser is in to check, which is Cloudflare's, or the proxy of the machine it runs on.
 */
export function refusal(text: string, policy: UrlPolicy): string | undefined {
  if (/^about:(blank|srcdoc)\b/.test(text)) return undefined;
  if (!URL.canParse(text)) return "It is not a URL.";
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return `Only http and https are opened, not ${url.protocol}`;
  if (url.username !== "" || url.password !== "") return "A URL with a user name or password in it is not opened.";
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  const host = url.hostname.replace(/\.$/, "");
  if (policy.privateHosts.includes(host) || policy.privateHosts.includes(`${host}:${port}`)) return undefined;
  return isPrivateHost(host) ? `${url.host} is a private address.` : undefined;
}

/** The URL to open for what a caller wrote, `https://` put before a bare name; fails when it is refused. */
export function allowedUrl(given: string, policy: UrlPolicy): string {
  const text = /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(given) ? given : `https://${given}`;
  const reason = refusal(text, policy);
  if (reason === undefined) return text;
  throw new Failure(URL.canParse(text) ? "forbidden" : "invalid_input", `Not opened: ${reason}`, {
    hint: "The owner can allow a private host with the setting BROWSER_PRIVATE_HOSTS.",
  });
}
