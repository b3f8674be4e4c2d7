import { beforeEach, describe, expect, it } from "vitest";
import { Breaker } from "../../../src/bridge/model/breaker.ts";
import { readRetryAfter } from "../../../src/bridge/model/attempt.ts";

const TARGETS = [{ name: "a" }, { name: "b" }, { name: "c" }];
const passing = { retryAfterMs: undefined, lasting: false };
let breaker: Breaker;
const order = (now: number) =>
  breaker
    .order(TARGETS, now)
    .map(({ name }) => name)
    .join("");

beforeEach(() => {
  breaker = new Breaker();
});

describe("a breaker", () => {
  it("keeps the order while all is well, and after one failure", () => {
    breaker.failed("a", 0, passing);
    expect(order(0)).toBe("abc");
  });

  it("puts who failed twice in a row last for half a minute", () => {
    breaker.failed("a", 0, passing);
    breaker.failed("a", 0, passing);
    expect(order(29_999)).toBe("bca");
    expect(order(30_000)).toBe("abc");
  });

  it("waits longer each time, up to five minutes", () => {
    for (let n = 0; n < 3; n++) breaker.failed("a", 0, passing);
    expect(order(59_999)).toBe("bca");
    for (let n = 0; n < 10; n++) breaker.failed("a", 0, passing);
    expect(order(299_999)).toBe("bca");
    expect(order(300_000)).toBe("abc");
  });

  it("forgets it all at an answer", () => {
    for (let n = 0; n < 5; n++) breaker.failed("a", 0, passing);
    breaker.succeeded("a");
    breaker.failed("a", 0, passing);
    expect(order(0)).toBe("abc");
  });

  it("does not wait for a second failure of what will not pass by itself", () => {
    breaker.failed("a", 0, { retryAfterMs: undefined, lasting: true });
    expect(order(1)).toBe("bca");
  });

  it("does not ask at all who wants to be left alone", () => {
    breaker.failed("a", 0, { retryAfterMs: 5_000, lasting: false });
    expect(order(4_999)).toBe("bc");
    expect(order(5_000)).toBe("abc");
    expect(breaker.soonest([{ name: "a" }], 1_000)).toBe(4_000);
  });
});

describe("retry-after", () => {
  it("is a number of seconds or a date", () => {
    const now = Date.parse("2026-11-23T12:00:00Z");
    expect(readRetryAfter("3", now)).toBe(3_000);
    expect(readRetryAfter("Mon, 23 Nov 2026 12:00:10 GMT", now)).toBe(10_000);
    for (const odd of [null, "", "soon", "Mon, 23 Nov 2026 11:00:00 GMT", "-1"]) {
      expect(readRetryAfter(odd, now)).toBeUndefined();
    }
  });
});
