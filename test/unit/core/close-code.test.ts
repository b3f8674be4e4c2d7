import { describe, expect, it } from "vitest";
import { legalClosing } from "../../../src/core/close-code.ts";

/** Every class of RFC 6455 §7.4 and of IANA's registry, by its edges: received → what the other side is told. */
const TABLE: [first: number, last: number, told: number | "the same"][] = [
  [1000, 1003, "the same"],
  // Reserved without a meaning.
  [1004, 1004, 1011],
  // Closed without a code.
  [1005, 1005, 1000],
  // Gone without a close frame.
  [1006, 1006, 1011],
  [1007, 1014, "the same"],
  // The TLS handshake failed.
  [1015, 1015, 1011],
  // Not given out.
  [1016, 1999, 1011],
  // Of extensions, and nobody's here.
  [2000, 2999, 1011],
  // Of libraries, then of applications.
  [3000, 3999, "the same"],
  [4000, 4999, "the same"],
];

describe("closing as the other side did", () => {
  it("knows every code from 1000 to 4999 exactly once", () => {
    const covered = TABLE.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
    expect(covered).toEqual(Array.from({ length: 4_000 }, (_, at) => 1_000 + at));
  });

  it.each(TABLE)("%i to %i is told as %s", (first, last, told) => {
    for (let code = first; code <= last; code += 1) {
      const legal = legalClosing({ code, reason: "why" });
      expect(legal).toEqual({ code: told === "the same" ? code : told, reason: "why" });
      // What every implementation agrees may be sent.
      expect(
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].includes(legal.code) ||
          legal.code >= 3000,
      ).toBe(true);
    }
  });

  it("leaves out a reason that has more bytes than a close frame holds", () => {
    expect(legalClosing({ code: 1000, reason: "x".repeat(123) }).reason).toHaveLength(123);
    expect(legalClosing({ code: 1000, reason: "x".repeat(124) }).reason).toBe("");
    expect(legalClosing({ code: 1000, reason: "ü".repeat(62) }).reason).toBe("");
  });
});
