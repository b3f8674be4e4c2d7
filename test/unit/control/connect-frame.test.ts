import { describe, expect, it } from "vitest";
import { withGatewayToken } from "../../../src/control/connect-frame.ts";

const TOKEN = "token-of-the-gateway";

function sent(auth: unknown): string {
  return JSON.stringify({
    type: "req",
    id: "1",
    method: "connect",
    params: { client: { id: "x" }, auth, device: { id: "d" } },
  });
}

function authOf(frame: string | undefined): unknown {
  return JSON.parse(frame ?? "{}").params?.auth;
}

describe("the browser's first frame", () => {
  it("gets the gateway's token as a password, and keeps all else", () => {
    const changed = JSON.parse(withGatewayToken(sent(undefined), TOKEN) ?? "");
    expect(changed).toEqual({
      type: "req",
      id: "1",
      method: "connect",
      params: { client: { id: "x" }, auth: { password: TOKEN }, device: { id: "d" } },
    });
  });

  it("shows what the browser has of its own under the name by which it is not taken for the gateway's", () => {
    expect(authOf(withGatewayToken(sent({ token: "own" }), TOKEN))).toEqual({ deviceToken: "own", password: TOKEN });
    expect(authOf(withGatewayToken(sent({ deviceToken: "own" }), TOKEN))).toEqual({
      deviceToken: "own",
      password: TOKEN,
    });
    // The signature is over the token where both are there.
    expect(authOf(withGatewayToken(sent({ token: "signed", deviceToken: "other" }), TOKEN))).toEqual({
      deviceToken: "signed",
      password: TOKEN,
    });
    expect(authOf(withGatewayToken(sent({ password: "guess" }), TOKEN))).toEqual({ password: TOKEN });
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"type":"req","method":"chat.send","params":{}}',
    '{"type":"req","method":"connect"}',
  ])("is left as it is when it is no connect: %s", (frame) => {
    expect(withGatewayToken(frame, TOKEN)).toBeUndefined();
  });
});
