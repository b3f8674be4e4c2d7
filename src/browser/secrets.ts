import { Failure } from "../core/failure.ts";

/** A value the owner has set, and the hosts on whose pages it may be typed. */
export interface BrowserSecret {
  value: string;
  hosts: readonly string[];
}

export type BrowserSecrets = Readonly<Record<string, BrowserSecret>>;

const REFERENCE = /^secret:([A-Za-z0-9_]+)$/;

/** What is typed for `text` on a page of `origin`; a `secret:NAME` is resolved if it is meant for that host. */
export function typed(text: string, origin: string, secrets: BrowserSecrets): { text: string; secret: boolean } {
  const name = REFERENCE.exec(text)?.[1];
  if (name === undefined) return { text, secret: false };
  const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (!secret) {
    throw new Failure("not_found", `There is no secret ${name}.`, {
      hint: "The owner sets them in BROWSER_SECRETS.",
    });
  }
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const meant = url !== undefined && secret.hosts.some((host) => host === url.hostname || host === url.host);
  if (!meant) {
    throw new Failure("forbidden", `The secret ${name} is not for ${url?.host ?? "this page"}.`, {
      hint: "Each secret names its hosts in BROWSER_SECRETS; it is typed nowhere else.",
    });
  }
  return { text: secret.value, secret: true };
}

/** Takes the values out of whatever a page gives back, as they are or as a form would send them. */
export function hiding(secrets: BrowserSecrets): (text: string) => string {
  const spellings = Object.entries(secrets).flatMap(([name, { value }]) => {
    const form = new URLSearchParams({ v: value }).toString().slice(2);
    const quoted = JSON.stringify(value).slice(1, -1);
    return [...new Set([value, encodeURIComponent(value), form, quoted])].map((spelling) => ({
      spelling,
      mask: `[secret:${name}]`,
    }));
  });
  // The longest first: one may be part of another.
  const ordered = spellings.toSorted((a, b) => b.spelling.length - a.spelling.length);
  return (text) => ordered.reduce((clean, { spelling, mask }) => clean.replaceAll(spelling, mask), text);
}

/** The same for a whole result, strings at any depth; `data` is base64, in which a value could only turn up by chance. */
export function hidden<T>(value: T, hide: (text: string) => string): T {
  const walk = (part: unknown): unknown => {
    if (typeof part === "string") return hide(part);
    if (Array.isArray(part)) return part.map(walk);
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, key === "data" ? inner : walk(inner)]));
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the walk keeps every shape.
  return walk(value) as T;
}
