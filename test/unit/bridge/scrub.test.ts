import { describe, expect, it } from "vitest";
import { scrub, Scrubber } from "../../../src/bridge/model/scrub.ts";

const SECRETS = ["sk-ant-1234567890", "sk-or-abcdef", "aaab"];
const bytes = (text: string) => new TextEncoder().encode(text);

/** What comes out when a text goes in cut at these places. */
function through(text: string, cuts: readonly number[]): string {
  const scrubber = new Scrubber(SECRETS);
  const whole = bytes(text);
  const places = [0, ...cuts, whole.byteLength];
  const out: Uint8Array[] = places.slice(1).map((to, index) => scrubber.push(whole.slice(places[index], to)).bytes);
  out.push(scrubber.end().bytes);
  const decoder = new TextDecoder();
  return out.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode();
}

describe("a scrubber", () => {
  it("takes a secret out wherever it is cut in two", () => {
    const text = 'before é "sk-ant-1234567890" between sk-or-abcdef, after ✓ aaaab';
    const length = bytes(text).byteLength;
    for (let cut = 0; cut <= length; cut++) {
      expect(through(text, [cut])).toBe('before é "[redacted]" between [redacted], after ✓ a[redacted]');
    }
  });

  it("takes it out when it comes byte by byte", () => {
    const text = "xsk-ant-1234567890sk-or-abcdefx";
    expect(
      through(
        text,
        Array.from({ length: text.length - 1 }, (_, index) => index + 1),
      ),
    ).toBe("x[redacted][redacted]x");
  });

  it("gives out what only began like one", () => {
    expect(through("sk-ant-12345", [3, 8])).toBe("sk-ant-12345");
  });

  it("hands on the very same bytes when there is nothing to do", () => {
    const piece = bytes("data: {}\n\n");
    expect(new Scrubber(SECRETS).push(piece).bytes).toBe(piece);
  });

  it("does the same for a whole text", () => {
    expect(scrub("a sk-or-abcdef b sk-or-abcdef", SECRETS)).toBe("a [redacted] b [redacted]");
  });
});
