import { describe, expect, it } from "vitest";
import { isPersonsFrame, isRunsFrame } from "../../../src/control/activity.ts";

const request = (method: string) => JSON.stringify({ type: "req", id: "7:x", method, params: { method: "chat.send" } });
const event = (name: string) => JSON.stringify({ type: "event", event: name, payload: { event: "agent" } });

describe("what keeps the bot up", () => {
  it.each([
    "chat.send",
    "chat.abort",
    "exec.approval.resolve",
    "sessions.viewers.set",
    "config.patch",
    "cron.run",
    "sessions.create",
  ])("is what a person does: %s", (method) => expect(isPersonsFrame(request(method))).toBe(true));

  it.each([
    "connect",
    "sessions.subscribe",
    "sessions.list",
    "config.get",
    "update.status",
    "models.authStatus",
    "chat.startup",
    "health",
    "sessions.messages.subscribe",
    "cron.status",
    "plugin.surface.refresh",
  ])("is not what an open page asks for: %s", (method) => expect(isPersonsFrame(request(method))).toBe(false));

  it("is a run that says something, and no tick", () => {
    expect(["agent", "chat"].map((name) => isRunsFrame(event(name)))).toEqual([true, true]);
    expect(["tick", "presence", "health", "models.snapshot"].map((name) => isRunsFrame(event(name)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("is bytes, which only somebody sends, and nothing that is no request", () => {
    expect([isPersonsFrame(new ArrayBuffer(1)), isRunsFrame(new ArrayBuffer(1))]).toEqual([true, false]);
    expect(["", "{", "[]", `{"type":"res"}`].map((frame) => isPersonsFrame(frame))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
