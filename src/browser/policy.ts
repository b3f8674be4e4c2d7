import { Failure } from "../core/failure.ts";

/** Hosts, `host` or `host:port`, that may be opened although they are private. */
export interface UrlPolicy {
  privateHosts: readonly string[];
}

/** Names that never are the public internet's. */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|home\.arpa)$/;

/** IANA special-purpose registry: the first address and the prefix length. */
const PRIVATE_IPV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

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

/** `host` as a parsed URL spells it: numbers of every notation are dotted there already. */
function isPrivateHost(host: string): boolean {
  if (host.startsWith("[")) return isPrivateIpv6(host.slice(1, -1));
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return isPrivateIpv4(numberOf(host));
  return !host.includes(".") || PRIVATE_NAMES.test(host);
}

function numberOf(dotted: string): number {
  return dotted.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isPrivateIpv4(address: number): boolean {
  return PRIVATE_IPV4.some(([first, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor(numberOf(first) / size);
  });
}

/** Public is 2000::/3 but for the ranges in it that carry an IPv4 address, are documentation or for benchmarks. */
function isPrivateIpv6(text: string): boolean {
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
  const [first = 0, second = 0] = groups.map((group) => Number.parseInt(group, 16));
  if (first < 0x2000 || first > 0x3fff) return true;
  if (first === 0x2002 || first === 0x3fff) return true;
  return first === 0x2001 && (second < 0x0200 || second === 0x0db8);
}
