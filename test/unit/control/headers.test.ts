import { describe, expect, it } from "vitest";
import { towardsGateway, towardsPerson } from "../../../src/control/headers.ts";

const TOKEN = "token-of-the-gateway";

const answer = (headers: Record<string, string>) =>
  towardsPerson(new Response("body", { status: 206, headers })).headers;

describe("what the gateway gets to see", () => {
  it("is what a page asks with, and the Worker's token in place of what the browser said", () => {
    const given = new Headers({
      accept: "text/html",
      "accept-language": "de",
      "content-type": "application/json",
      range: "bytes=0-9",
      "if-none-match": '"x"',
      origin: "https://ui.example",
      authorization: "Bearer from-the-browser",
    });
    expect(Object.fromEntries(towardsGateway(given, TOKEN))).toEqual({
      accept: "text/html",
      "accept-language": "de",
      "content-type": "application/json",
      range: "bytes=0-9",
      "if-none-match": '"x"',
      origin: "https://ui.example",
      authorization: `Bearer ${TOKEN}`,
    });
  });

  it.each([
    "cookie",
    "cf-access-jwt-assertion",
    "cf-access-authenticated-user-email",
    "cf-connecting-ip",
    "cf-ray",
    "cdn-loop",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-user",
    "x-real-ip",
    "true-client-ip",
    "tailscale-user-login",
    "x-openclaw-scopes",
    "proxy-authorization",
    "referer",
    "te",
    "upgrade",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "x-made-up",
  ])("is not %s", (name) => {
    expect(towardsGateway(new Headers([[name, "value"]]), TOKEN).has(name)).toBe(false);
  });
});

describe("what a browser gets of the gateway's answer", () => {
  it.each([
    "set-cookie",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "trailer",
    "upgrade",
    "proxy-authenticate",
    "www-authenticate",
    "strict-transport-security",
    "alt-svc",
    "access-control-allow-origin",
    "access-control-allow-credentials",
  ])("is not %s", (name) => {
    expect(answer({ [name]: "value" }).has(name)).toBe(false);
  });

  it("is not what the connection names as its own", () => {
    expect(answer({ connection: "close, X-Inner", "x-inner": "1", "x-outer": "2" }).has("x-inner")).toBe(false);
    expect(answer({ connection: "close, X-Inner", "x-inner": "1", "x-outer": "2" }).get("x-outer")).toBe("2");
  });

  it("keeps status, policy and type, and is in nobody's shared cache", async () => {
    const policy = "default-src 'self'";
    const response = towardsPerson(
      new Response("body", {
        status: 206,
        headers: {
          "content-security-policy": policy,
          "content-type": "text/css",
          "cache-control": "public, max-age=9",
        },
      }),
    );
    expect([response.status, await response.text()]).toEqual([206, "body"]);
    expect(response.headers.get("content-security-policy")).toBe(policy);
    expect(response.headers.get("cache-control")).toBe("private, max-age=9");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer({}).get("cache-control")).toBe("no-store");
  });
});
