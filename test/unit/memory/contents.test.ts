import { describe, expect, it } from "vitest";
import { readContents } from "../../../src/memory/archive/contents.ts";

const MOST = 8.64e15;

/** The time of the one file in an archive's contents, as it is taken. */
function taken(modified: number): number | undefined {
  const item = { path: "workspace/odd.md", kind: "directory", mode: 0o755, modified };
  const text = JSON.stringify({ moltbot: 1, generation: "00000001", at: "", leftOut: [], files: [item] });
  return readContents(text).files[0]?.modified;
}

describe("when a file in an archive was changed", () => {
  it("is taken as it is where a calendar has it", () => {
    for (const at of [0, -1, 1_700_000_000_000, MOST, -MOST]) expect(taken(at)).toBe(at);
  });

  it("is taken for the calendar's end where none has it, so that it can be written in words", () => {
    expect([taken(1e300), taken(-1e300)]).toEqual([MOST, -MOST]);
    expect(() => new Date(taken(1e300) ?? Number.NaN).toISOString()).not.toThrow();
  });
});
