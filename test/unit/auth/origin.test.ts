import { describe, expect, it } from "vitest";
import { requireOwnOrigin, type Visitor } from "../../../src/auth/access.ts";

const PUBLIC_URL = "https://bot.example/";
const PERSON: Visitor = { kind: "person", email: "me@example.com" };
const SERVICE: Visitor = { kind: "service", name: "known.access" };

function outcome(visitor: Visitor, origin?: string): string {
  const request = new Request("https://bot.example/admin/api/bot/sleep", {
    method: "POST",
    headers: origin === undefined ? {} : { origin },
  });
  try {
    requireOwnOrigin(request, visitor, PUBLIC_URL);
    return "admitted";
  } catch (error) {
    return Object(error).code;
  }
}

describe("a request that changes something", () => {
  it("comes from the Worker's own pages, or from a program that has none", () => {
    expect(outcome(PERSON, "https://bot.example")).toBe("admitted");
    expect(outcome(SERVICE, "https://bot.example")).toBe("admitted");
    expect(outcome(SERVICE)).toBe("admitted");
  });

  it.each([
    undefined,
    "",
    "null",
    "http://bot.example",
    "https://bot.example:8443",
    "https://bot.example/",
    "HTTPS://BOT.EXAMPLE",
    "https://bot.example.evil.example",
    "https://evil.example/https://bot.example",
    "https://bot.example@evil.example",
    "https://bot.example, https://evil.example",
  ])("does not come from %j", (origin) => {
    expect(outcome(PERSON, origin)).toBe("forbidden");
    if (origin !== undefined) expect(outcome(SERVICE, origin)).toBe("forbidden");
  });
});
