import { describe, expect, it } from "vitest";
import { hidden, hiding, hidingBytes, typed } from "../../../src/browser/secrets.ts";

const VALUE = `a&b <c> "ü"/d`;
const SECRETS = { LOGIN: { value: VALUE, hosts: ["example.com", "localhost:8080"] } };
const MASK = "[secret:LOGIN]";

/** As a page, a form, a script or a document may write it. */
const SPELLINGS = [
  VALUE,
  encodeURIComponent(VALUE),
  encodeURI(VALUE),
  new URLSearchParams({ v: VALUE }).toString().slice(2),
  JSON.stringify(VALUE),
  'a&amp;b &lt;c&gt; "ü"/d',
  "a&amp;b &lt;c&gt; &quot;ü&quot;/d",
];

describe("a secret", () => {
  it.each(SPELLINGS)("is taken out of texts and files, written as %s", (spelling) => {
    const text = hiding(SECRETS)(`before ${spelling} after`);
    expect(text.replaceAll('"', "")).toBe(`before ${MASK} after`);
    const bytes = hidingBytes(SECRETS)(new TextEncoder().encode(`ä${spelling}ö ${spelling}`));
    expect(new TextDecoder().decode(bytes).replaceAll('"', "")).toBe(`ä${MASK}ö ${MASK}`);
  });

  it("leaves other bytes as they are", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    expect([...hidingBytes(SECRETS)(bytes)]).toEqual([...bytes]);
    expect([...hidingBytes({})(bytes)]).toEqual([...bytes]);
  });

  it("is taken out at any depth of a result", () => {
    const value = { page: { url: `https://example.com/?v=${encodeURIComponent(VALUE)}`, notes: [VALUE] }, bytes: 1 };
    expect(hidden(value, hiding(SECRETS))).toEqual({
      page: { url: `https://example.com/?v=${MASK}`, notes: [MASK] },
      bytes: 1,
    });
  });

  it("is typed on its hosts and nowhere else, whatever a host looks like", () => {
    for (const origin of ["https://example.com/login", "http://localhost:8080/", "https://example.com:8443/"]) {
      expect(typed("secret:LOGIN", origin, SECRETS)).toEqual({ text: VALUE, secret: true });
    }
    for (const origin of [
      "https://example.com.evil.test/",
      "https://evil.test/?example.com",
      "https://example.com@evil.test/",
      "https://sub.example.com/",
      "http://localhost:8081/",
      "about:blank",
      "data:text/html,example.com",
      "",
    ]) {
      expect(() => typed("secret:LOGIN", origin, SECRETS), origin).toThrow("is not for");
    }
    for (const name of ["NONE", "constructor", "__proto__"]) {
      expect(() => typed(`secret:${name}`, "https://example.com/", SECRETS)).toThrow("There is no secret");
    }
  });
});
