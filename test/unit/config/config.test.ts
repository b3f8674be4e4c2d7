import { describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config/config.ts";
import { Failure } from "../../../src/core/failure.ts";
import { redact } from "../../../src/core/redact.ts";

const COMPLETE = {
  PUBLIC_URL: "https://bot.example.com/",
  OIDC_ISSUER: "https://team.example.com/oidc",
  OIDC_CLIENT_ID: "client",
  OIDC_CLIENT_SECRET: "a-client-secret-canary",
  ALLOWED_EMAILS: "Me@Example.com, you@example.com",
  ANTHROPIC_API_KEY: "sk-key-canary-0123456789",
};

function failure(variables: Record<string, unknown>): Failure {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("readConfig did not fail");
}

describe("readConfig", () => {
  it("reads a complete set, with defaults", () => {
    const config = readConfig(COMPLETE);
    expect(config.mcpUrl).toBe("https://bot.example.com/mcp");
    expect(config.login.emails).toEqual(["me@example.com", "you@example.com"]);
    expect(config.model).toMatchObject({
      contextTokens: 200_000,
      targets: [{ name: "anthropic/claude-sonnet-4-5", via: { base: "https://api.anthropic.com" } }],
    });
    expect(config.sandbox).toMatchObject({ bridgeUrl: undefined, sleepAfter: "10m" });
  });

  it("names every missing setting in one failure", () => {
    const { code, message } = failure({});
    expect(code).toBe("misconfigured");
    for (const name of ["PUBLIC_URL", "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"])
      expect(message).toContain(`${name} is missing`);
  });

  it("names a wrong setting without its value", () => {
    const { message } = failure({ ...COMPLETE, SLEEP_AFTER: "canary-value", PUBLIC_URL: "ftp://canary-host" });
    expect(message).toContain("SLEEP_AFTER must be like 10m, 1h or never");
    expect(message).toContain("PUBLIC_URL must be an http(s) URL");
    expect(message).not.toContain("canary");
  });

  it("gives the Control UI an origin of its own, or none", () => {
    const controlOf = (url: string) => readConfig({ ...COMPLETE, CONTROL_UI_URL: url }).controlUrl;
    expect(readConfig(COMPLETE).controlUrl).toBeUndefined();
    expect(controlOf("")).toBeUndefined();
    expect(controlOf("https://UI.example.org/")).toBe("https://ui.example.org");
    expect(controlOf("http://ui.localhost:8787")).toBe("http://ui.localhost:8787");
    for (const [wrong, says] of [
      ["https://bot.example.com", "CONTROL_UI_URL must have another host name than PUBLIC_URL"],
      // Cookies do not know ports.
      ["https://bot.example.com:8443", "CONTROL_UI_URL must have another host name than PUBLIC_URL"],
      ["https://BOT.example.com", "CONTROL_UI_URL must have another host name than PUBLIC_URL"],
      ["https://ui.example.org/path", "CONTROL_UI_URL must not have a path"],
      ["ui.example.org", "CONTROL_UI_URL must be an http(s) URL"],
    ]) {
      expect(failure({ ...COMPLETE, CONTROL_UI_URL: wrong }).message).toContain(says);
    }
  });

  it("knows how long generations are kept, and says what is wrong with it", () => {
    const HOUR = 3_600_000;
    expect(readConfig(COMPLETE).retention).toEqual({ allFor: HOUR, hourlyFor: 24 * HOUR, dailyFor: 31 * 24 * HOUR });
    const set = { ...COMPLETE, MEMORY_KEEP_ALL: "30m", MEMORY_KEEP_HOURLY: "2d", MEMORY_KEEP_DAILY: "60d" };
    expect(readConfig(set).retention).toEqual({ allFor: HOUR / 2, hourlyFor: 48 * HOUR, dailyFor: 1_440 * HOUR });
    for (const [wrong, says] of [
      [{ MEMORY_KEEP_ALL: "an hour" }, "MEMORY_KEEP_ALL must be like 30m, 24h or 31d"],
      [{ MEMORY_KEEP_ALL: "0h" }, "MEMORY_KEEP_ALL must be more than 0"],
      [{ MEMORY_KEEP_DAILY: "9999d" }, "MEMORY_KEEP_DAILY must be at most 3650d"],
      [{ MEMORY_KEEP_ALL: "2d" }, "MEMORY_KEEP_HOURLY must not be shorter than MEMORY_KEEP_ALL"],
      [{ MEMORY_KEEP_DAILY: "1h" }, "MEMORY_KEEP_DAILY must not be shorter than MEMORY_KEEP_HOURLY"],
    ] as const) {
      expect(failure({ ...COMPLETE, ...wrong }).message).toContain(says);
    }
  });

  it("refuses a set with which nobody could sign in", () => {
    expect(failure({ ...COMPLETE, ALLOWED_EMAILS: "" }).message).toContain("nobody could sign in");
  });

  it("wants a key for the default provider, and none for another", () => {
    const { ANTHROPIC_API_KEY: _, ...keyless } = COMPLETE;
    expect(failure(keyless).message).toContain("ANTHROPIC_API_KEY is missing");
    const { targets } = readConfig({ ...keyless, ANTHROPIC_BASE_URL: "http://127.0.0.1:9" }).model;
    expect(targets[0].via).toMatchObject({ base: "http://127.0.0.1:9", headers: {} });
  });

  it("has every secret redacted from then on", () => {
    readConfig(COMPLETE);
    expect(redact(`a ${COMPLETE.OIDC_CLIENT_SECRET} b ${COMPLETE.ANTHROPIC_API_KEY}`)).toBe(
      "a [redacted] b [redacted]",
    );
  });

  it.each(["*", "*.com.", "https://example.com", "example.com:443", "a b.com", "exa*ple.com", "10.0.0.0/8"])(
    "refuses %s on the list of hosts the container may reach",
    (text) => {
      expect(failure({ ...COMPLETE, EGRESS_ALLOW: `example.com, ${text}` }).message).toContain(
        "EGRESS_ALLOW must be names such as",
      );
    },
  );
});
