import { describe, expect, test } from "vitest";
import { Failure } from "../../src/core/failure.ts";
import { readEvent } from "../../src/gateway/events.ts";
import { pairingRequest, readFrame, wireFailure } from "../../src/gateway/protocol.ts";

function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}

describe("a frame", () => {
  test.each([
    "",
    "{",
    "null",
    "[]",
    '{"type":"req","id":"1"}',
    '{"type":"res","id":"1"}',
    '{"type":"res","id":"1","ok":false}',
    '{"type":"res","id":1,"ok":true}',
    '{"type":"event"}',
  ])("that is malformed is the gateway's fault: %s", (data) => {
    expect(failureOf(() => readFrame(data)).code).toBe("upstream");
  });

  test("in binary is refused", () => {
    expect(failureOf(() => readFrame(new ArrayBuffer(2))).code).toBe("upstream");
  });

  test("may carry more than is known", () => {
    expect(readFrame('{"type":"event","event":"new.thing","payload":{"a":1},"seq":3,"extra":true}')).toEqual({
      type: "event",
      event: "new.thing",
      payload: { a: 1 },
    });
  });
});

describe("an event", () => {
  const about = { runId: "r", sessionKey: "agent:main:mcp:x:main", seq: 1 };

  test("that is unknown is ignored", () => {
    expect(readEvent("presence", { anything: 1 })).toBeUndefined();
    expect(readEvent("agent", { runId: "r", stream: "lifecycle", data: { phase: "start" } })).toBeUndefined();
    expect(readEvent("agent", { runId: "r", stream: "item", data: { kind: "plan" } })).toBeUndefined();
  });

  test("that is known and malformed is the gateway's fault", () => {
    expect(failureOf(() => readEvent("chat", { ...about, state: "dancing" })).code).toBe("upstream");
    expect(failureOf(() => readEvent("chat", { state: "final" })).code).toBe("upstream");
    expect(failureOf(() => readEvent("agent", "text")).code).toBe("upstream");
    expect(failureOf(() => readEvent("exec.approval.requested", { id: 3 })).code).toBe("upstream");
  });

  test("with a part of the answer tells all of it so far", () => {
    const message = { role: "assistant", content: [{ type: "text", text: "one two" }] };
    expect(readEvent("chat", { ...about, state: "delta", deltaText: " two", message })).toMatchObject({
      kind: "text",
      whole: "one two",
    });
  });

  test("at the end may have no message", () => {
    expect(readEvent("chat", { ...about, state: "final" })).toMatchObject({
      kind: "final",
      text: undefined,
      media: false,
    });
  });

  test("of an error that is not on the list is one of unknown kind", () => {
    const event = { ...about, state: "error", errorKind: "solar_flare", errorMessage: "Oh." };
    expect(readEvent("chat", event)).toMatchObject({ kind: "error", reason: "unknown", message: "Oh." });
  });
});

describe("a refusal", () => {
  test("keeps its kind", () => {
    expect(wireFailure("chat.send", { code: "INVALID_REQUEST", message: "no" }).code).toBe("invalid_input");
    expect(wireFailure("chat.send", { code: "UNAVAILABLE", message: "no" }).code).toBe("unavailable");
    expect(wireFailure("chat.send", { code: "SOMETHING_NEW", message: "no" }).code).toBe("upstream");
  });

  test("names the pairing request to approve", () => {
    const error = { code: "NOT_PAIRED", message: "pairing required" };
    expect(pairingRequest({ ...error, details: { code: "PAIRING_REQUIRED", requestId: "p-1" } })).toBe("p-1");
    expect(pairingRequest({ ...error, details: { code: "AUTH_TOKEN_MISMATCH" } })).toBeUndefined();
    expect(pairingRequest(error)).toBeUndefined();
  });
});
