import { hex } from "./encoding.ts";

/** SHA-256 of the text in UTF-8, as 64 hexadecimal digits. */
export async function sha256(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** The journal's digest of a call's arguments: the same however their keys are ordered. */
export async function argumentsDigest(input: unknown): Promise<string> {
  return (await sha256(written(input))).slice(0, 16);
}

/** What is nested too deep for this runtime to write down again can still be a call that was refused. */
function written(input: unknown): string {
  try {
    return JSON.stringify(input ?? {}, sorted);
  } catch {
    return "";
  }
}

function sorted(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
