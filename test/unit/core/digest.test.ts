import { describe, expect, it } from "vitest";
import { argumentsDigest, sha256 } from "../../../src/core/digest.ts";

describe("a digest of arguments", () => {
  it("is the same however the keys are ordered, and differs with any value", async () => {
    const digest = await argumentsDigest({ a: 1, b: { d: [1, 2], c: "x" } });
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(await argumentsDigest({ b: { c: "x", d: [1, 2] }, a: 1 })).toBe(digest);
    expect(await argumentsDigest({ a: 1, b: { d: [2, 1], c: "x" } })).not.toBe(digest);
    expect(await argumentsDigest(undefined)).toBe(await argumentsDigest({}));
    expect(digest).toBe((await sha256('{"a":1,"b":{"c":"x","d":[1,2]}}')).slice(0, 16));
  });

  it("is made of whatever a client can send", async () => {
    const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    expect(await argumentsDigest(deep)).toMatch(/^[0-9a-f]{16}$/);
  });
});
