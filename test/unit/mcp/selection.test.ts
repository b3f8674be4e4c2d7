import { describe, expect, it } from "vitest";
import { CATALOG, toolsetOf, toolsetsOf } from "../../../src/mcp/catalog.ts";
import { offered } from "../../../src/mcp/context.ts";
import { selectionOf } from "../../../src/mcp/selection.ts";
import { insufficientScope, missingScopes } from "../../../src/mcp/scopes.ts";
import { SCOPE_NAMES } from "../../../src/core/scope.ts";

const ALL = [...SCOPE_NAMES];

/** What a client with these scopes is offered at this address with these headers. */
function seen(address: string, headers: Record<string, string> = {}, scopes: string[] = ALL) {
  const selection = selectionOf(new Request(`https://moltbot.example${address}`, { headers }), CATALOG);
  const caller = { principal: { id: "0".repeat(32), email: "me@example.com" }, clientId: "client", scopes };
  const { tools, prompts, resources } = offered({ catalog: CATALOG, selection, caller });
  return {
    tools: tools.map(({ name }) => name),
    prompts: prompts.map(({ name }) => name),
    resources: resources.map(({ name }) => name),
  };
}

const names = CATALOG.tools.map(({ name }) => name);

describe("what a client is offered", () => {
  it("is everything it was granted, in the order of the registries", () => {
    expect(seen("/mcp").tools).toEqual(names);
    expect(seen("/mcp", {}, ["control", "chat"]).tools).toEqual(
      CATALOG.tools.filter(({ scope }) => scope === "chat" || scope === "control").map(({ name }) => name),
    );
    expect(seen("/mcp", {}, [])).toEqual({ tools: [], prompts: [], resources: [] });
  });

  it.each([
    ["/mcp?toolsets=chat,bot", {}],
    ["/mcp?toolsets=bot&toolsets=chat,bot", { "x-mcp-toolsets": "CHAT, bot" }],
    ["/mcp", { "x-mcp-toolsets": "bot,chat" }],
  ])("is narrowed to toolsets by %s %j", (address, headers) => {
    const wanted = address.includes("toolsets=bot&") ? ["bot"] : ["chat", "bot"];
    expect(seen(address, headers).tools).toEqual(
      CATALOG.tools.filter((tool) => wanted.includes(toolsetOf(tool))).map(({ name }) => name),
    );
  });

  it("never grows by what the address says", () => {
    expect(seen("/mcp?toolsets=command", {}, ["chat"]).tools).toEqual([]);
  });

  it.each([
    ["/mcp/readonly", {}],
    ["/mcp", { "x-mcp-readonly": "true" }],
    ["/mcp", { "x-mcp-readonly": "1" }],
    ["/mcp/readonly", { "x-mcp-readonly": "false" }],
  ])("changes nothing at %s with %j", (address, headers) => {
    const { tools, prompts } = seen(address, headers);
    expect(tools).toEqual(CATALOG.tools.filter(({ effect }) => effect === "read").map(({ name }) => name));
    expect(prompts).toEqual(["catch_up"]);
  });

  it("has the prompts whose tools are all there, and the resources of its toolsets", () => {
    expect(seen("/mcp?toolsets=file")).toMatchObject({ prompts: [], resources: ["file"] });
    expect(seen("/mcp?toolsets=chat").prompts).toEqual(["brief_me", "hand_over", "catch_up"]);
  });

  it.each(["/mcp?toolsets=chat,secret-words", "/mcp?toolsets=", "/mcp?toolsets=,"])(
    "is an error at %s that names the toolsets",
    (address) => {
      let said = "";
      try {
        seen(address);
      } catch (error) {
        said = JSON.stringify({ ...Object(error), message: String(error) });
      }
      expect(said).toContain(`The toolsets are: ${toolsetsOf(CATALOG).join(", ")}`);
      expect(said).not.toContain("secret-words");
    },
  );
});

describe("a message that needs more than was granted", () => {
  it.each([
    [{ method: "tools/call", params: { name: "command_run" } }, ["exec"]],
    [{ method: "tools/call", params: { name: "chat_send" } }, []],
    [{ method: "tools/call", params: { name: "no_such" } }, []],
    [{ method: "resources/read", params: { uri: "moltbot-file:///workspace/a" } }, ["exec"]],
    [{ method: "prompts/get", params: { name: "brief_me" } }, []],
    [{ method: "tools/list" }, []],
    ["nonsense", []],
  ])("is found in %j", (message, missing) => {
    expect(missingScopes(message, CATALOG, ["chat"])).toEqual(missing);
  });

  it("is refused with the whole set of scopes to ask for", async () => {
    const response = insufficientScope({ id: 7 }, ["chat"], ["exec"], "https://moltbot.example/meta");
    expect(response.status).toBe(403);
    const challenge = response.headers.get("www-authenticate");
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="chat exec"');
    expect(challenge).toContain('resource_metadata="https://moltbot.example/meta"');
    expect(await response.json()).toMatchObject({ id: 7, error: { message: expect.stringContaining("exec") } });
  });
});
