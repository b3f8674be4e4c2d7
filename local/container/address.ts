import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** Addresses that are not the public internet's (IANA special-purpose registries), cloud metadata among them. */
const PRIVATE_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** Of IPv6 only 2000::/3 is the public internet's; in it, the ranges that carry an IPv4 address or are documentation. */
const PRIVATE_IPV6 = ["::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** A list for each family: asked about an IPv4 address, a list also looks at its IPv6 rules, as if it were mapped. */
const BLOCKED = { ipv4: blockList(PRIVATE_IPV4, "ipv4"), ipv6: blockList(PRIVATE_IPV6, "ipv6") };

function blockList(ranges: string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/");
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** True when a jail may talk to the address: public, and not this machine's own, where its services listen. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  if (BLOCKED[family].check(address, family)) return false;
  return !Object.values(networkInterfaces()).some((own) => own?.some((entry) => entry.address === address));
}
