import type { ServerContext } from "@modelcontextprotocol/server";
import { describe, expect, it } from "vitest";
import { requestState } from "../../../src/mcp/request-state.ts";

const KEY = "k".repeat(64);

const grant = (id: string, clientId = "client") => ({
  principal: { id, email: "me@example.com" },
  clientId,
  scopes: ["chat"],
});

// The binding asks nothing of the context: who calls is known beforehand.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const CONTEXT = {} as ServerContext;

const of = (id: string, options: { clientId?: string; key?: string } = {}) =>
  requestState(async () => options.key ?? KEY, grant(id, options.clientId));

describe("the state that a client carries", () => {
  it.each([{ run: "r1" }, undefined, "text", 0])("comes back as it was: %j", async (state) => {
    const mine = of("a");
    const text = await mine.sign("chat_send", "d1", state, CONTEXT);
    expect(mine.read(await of("a").verify(text, CONTEXT), "chat_send", "d1")).toEqual(state);
  });

  it.each([
    ["another person's", of("b")],
    ["another client's", of("a", { clientId: "other" })],
    ["of another key", of("a", { key: "x".repeat(64) })],
  ])("is no good when it is %s", async (_whose, other) => {
    const text = await other.sign("chat_send", "d1", 1, CONTEXT);
    await expect(of("a").verify(text, CONTEXT)).rejects.toThrow();
  });

  it("is no good when it was changed", async () => {
    const text = await of("a").sign("chat_send", "d1", { allow: false }, CONTEXT);
    const [version = "", body = "", mac = ""] = text.split(".");
    const forged = btoa(atob(body).replace("false", "true ")).replace(/=+$/, "");
    await expect(of("a").verify([version, forged, mac].join("."), CONTEXT)).rejects.toThrow();
    await expect(of("a").verify("nonsense", CONTEXT)).rejects.toThrow();
  });

  it("is good for the very call it was made for", async () => {
    const mine = of("a");
    const verified = await mine.verify(await mine.sign("chat_send", "d1", 1, CONTEXT), CONTEXT);
    expect(() => mine.read(verified, "command_run", "d1")).toThrow("another call");
    expect(() => mine.read(verified, "chat_send", "d2")).toThrow("another call");
  });
});
