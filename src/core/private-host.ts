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
 * Whether a host is not the public internet's, by its text alone. As a parsed URL spells it: numbers of every notation are
 * dotted there already.
 */
export function isPrivateHost(host: string): boolean {
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
