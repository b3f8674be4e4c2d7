import { describe, expect, it } from "vitest";
import { withoutFiles } from "../../../local/browser/without-files.ts";
import { keepOpen } from "../../../src/bridge/cdp/screen.ts";

const close = { id: 7, method: "Browser.close" };
const wrapped = (message: unknown) => ({
  id: 8,
  method: "Target.sendMessageToTarget",
  params: { sessionId: "S", message: JSON.stringify(message) },
});

describe.each([
  ["on Cloudflare", keepOpen],
  ["on a user's machine", withoutFiles],
])("a client %s", (_where, screen) => {
  it.each([
    [close, { id: 7, result: {} }],
    [
      { ...close, sessionId: "S" },
      { id: 7, result: {}, sessionId: "S" },
    ],
    [wrapped(close), { id: 8, result: {} }],
    [wrapped(wrapped(close)), { id: 8, result: {} }],
  ])("that closes the browser by %j closes its own connection", (message, answer) => {
    const screened = screen(JSON.stringify(message));
    expect(screened.type).toBe("end");
    expect(JSON.parse(screened.message)).toEqual(answer);
  });

  it.each([
    { id: 1, method: "Runtime.evaluate", params: { expression: "'Browser.close'" } },
    wrapped({ id: 1, method: "Runtime.evaluate", params: { expression: "'Browser.close'" } }),
    { id: 2, method: "Browser.getVersion" },
  ])("that says %j is heard by the browser", (message) => {
    const screened = screen(JSON.stringify(message));
    expect(screened.type).toBe("pass");
    expect(JSON.parse(screened.message)).toEqual(message);
  });
});

it("what is no DevTools message passes as it is on Cloudflare, and is answered on a user's machine", () => {
  for (const text of ["", "{", "null", "[]", '{"method":"Browser.close"}']) {
    expect(keepOpen(text)).toEqual({ type: "pass", message: text });
    expect(withoutFiles(text).type).toBe("answer");
  }
});
