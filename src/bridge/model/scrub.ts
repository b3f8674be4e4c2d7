const MASK = "[redacted]";
const MASK_BYTES = new TextEncoder().encode(MASK);

/** A character for each byte, so that a place in the text is the same place in the bytes. Which characters is of no matter. */
const byteText = new TextDecoder("latin1");

export interface Piece {
  bytes: Uint8Array;
  /** The same with a character for each byte. */
  text: string;
}

/**
 * Takes secrets out of bytes that come in pieces. What may be the beginning of one is held back until the next piece
 * tells; that is nothing nearly always, for a provider's pieces end in a line break.
 */
export class Scrubber {
  readonly #secrets: readonly string[];
  #held = new Uint8Array(0);

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret.length > 0);
  }

  /** What may go out now; the very same bytes when nothing had to be changed. */
  push(piece: Uint8Array): Piece {
    const bytes = this.#held.byteLength === 0 ? piece : joined([this.#held, piece]);
    const text = byteText.decode(bytes);
    const clean = this.#secrets.some((secret) => text.includes(secret))
      ? this.#masked({ bytes, text })
      : { bytes, text };
    const keep = this.#beginning(clean.text);
    const cut = clean.text.length - keep;
    this.#held = keep === 0 ? new Uint8Array(0) : clean.bytes.slice(cut);
    return keep === 0 ? clean : { bytes: clean.bytes.subarray(0, cut), text: clean.text.slice(0, cut) };
  }

  /** What was held back: nothing follows, so it is not a secret. */
  end(): Piece {
    const bytes = this.#held;
    this.#held = new Uint8Array(0);
    return { bytes, text: byteText.decode(bytes) };
  }

  #masked({ bytes, text }: Piece): Piece {
    const parts: Uint8Array[] = [];
    let from = 0;
    for (;;) {
      const next = this.#first(text, from);
      if (!next) break;
      parts.push(bytes.subarray(from, next.at), MASK_BYTES);
      from = next.at + next.length;
    }
    const masked = joined([...parts, bytes.subarray(from)]);
    return { bytes: masked, text: byteText.decode(masked) };
  }

  /** The first secret at or after a place; of two that begin there, the longer. */
  #first(text: string, from: number): { at: number; length: number } | undefined {
    let found: { at: number; length: number } | undefined;
    for (const { length, at } of this.#secrets.map((secret) => ({
      length: secret.length,
      at: text.indexOf(secret, from),
    }))) {
      if (at === -1 || (found && (at > found.at || (at === found.at && length < found.length)))) continue;
      found = { at, length };
    }
    return found;
  }

  /** Length of the longest end of the text that a secret begins with. */
  #beginning(text: string): number {
    let longest = 0;
    for (const secret of this.#secrets) {
      const first = secret.charAt(0);
      const from = Math.max(0, text.length - secret.length + 1);
      for (let at = text.indexOf(first, from); at !== -1; at = text.indexOf(first, at + 1)) {
        if (!secret.startsWith(text.slice(at))) continue;
        longest = Math.max(longest, text.length - at);
        break;
      }
    }
    return longest;
  }
}

/** The same for a text that is all there. */
export function scrub(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
  return clean;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
