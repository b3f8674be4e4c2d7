import { Buffer } from "node:buffer";
import { Failure, toFailure } from "../core/failure.ts";

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

/** Takes the values out of a text. */
export type Hide = (text: string) => string;

/**
 * Takes the values out of whatever a page gives back, as they are or as a form, a script or a document would write them.
 * Before anything is cut off: half of a value is told by no spelling.
 */
export function hiding(secrets: BrowserSecrets): Hide {
  const ordered = spellings(secrets);
  return (text) => ordered.reduce((clean, { spelling, mask }) => clean.replaceAll(spelling, mask), text);
}

/** The same for a file's bytes. */
export function hidingBytes(secrets: BrowserSecrets): (bytes: Uint8Array) => Uint8Array {
  const ordered = spellings(secrets);
  return (bytes) => {
    let clean = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { spelling, mask } of ordered) {
      const parts: Buffer[] = [];
      let from = 0;
      for (let at = clean.indexOf(spelling); at >= 0; at = clean.indexOf(spelling, from)) {
        parts.push(clean.subarray(from, at), Buffer.from(mask));
        from = at + Buffer.byteLength(spelling);
      }
      if (from > 0) clean = Buffer.concat([...parts, clean.subarray(from)]);
    }
    return clean;
  };
}

function spellings(secrets: BrowserSecrets): { spelling: string; mask: string }[] {
  const all = Object.entries(secrets).flatMap(([name, { value }]) => {
    const form = new URLSearchParams({ v: value }).toString().slice(2);
    const quoted = JSON.stringify(value).slice(1, -1);
    const text = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const attribute = text.replaceAll('"', "&quot;");
    const written = new Set([value, encodeURIComponent(value), encodeURI(value), form, quoted, text, attribute]);
    return [...written].map((spelling) => ({ spelling, mask: `[secret:${name}]` }));
  });
  // The longest first: one may be part of another.
  return all.toSorted((a, b) => b.spelling.length - a.spelling.length);
}

/** Characters of what went wrong: a page's own words may be of any length. */
const MOST_MESSAGE = 1_000;

/** What went wrong, as the caller may see it. */
export function tellable(error: unknown, hide: Hide): Failure {
  const { code, message, hint, cause } = toFailure(error);
  const told = { ...(hint ? { hint: hide(hint) } : {}), ...(cause ? { cause } : {}) };
  return new Failure(code, hide(message).slice(0, MOST_MESSAGE), told);
}

/** The same for a whole result, strings at any depth; `data` is base64: a picture, or a file that was seen to already. */
export function hidden<T>(value: T, hide: Hide): T {
  const walk = (part: unknown): unknown => {
    if (typeof part === "string") return hide(part);
    if (Array.isArray(part)) return part.map(walk);
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, key === "data" ? inner : walk(inner)]));
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the walk keeps every shape.
  return walk(value) as T;
}
