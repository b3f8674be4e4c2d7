import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Failure } from "../../../src/core/failure.ts";
import type { Journal, JournalEntry } from "../../../src/core/journal.ts";
import { SCOPE_NAMES } from "../../../src/core/scope.ts";
import { describeTool, toolsFor } from "../../../src/mcp/describe.ts";
import { INSTRUCTIONS } from "../../../src/mcp/instructions.ts";
import { callTool } from "../../../src/mcp/pipeline.ts";
import { TOOLS } from "../../../src/tools/registry.ts";
import type { ToolServices } from "../../../src/tools/services.ts";
import { type AnyTool, type Call, defineTool, type ToolAnswer } from "../../../src/tools/tool.ts";

// The tools below need no service; reading one is a bug that shows.
const NO_SERVICES = new Proxy(Object.create(null), {
  get(_target, name) {
    throw new Error(`no service ${String(name)} here`);
  },
});

const caller = {
  principal: { id: "0".repeat(32), email: "me@example.com" },
  clientId: "client",
  scopes: ["exec"],
};

function tool(run: (call: Call) => Promise<ToolAnswer<{ n: number }>>, deadlineMs = 1000): AnyTool {
  return defineTool({
    name: "sample",
    title: "Sample",
    description: "A sample.",
    scope: "exec",
    effect: "read",
    needs: [],
    input: z.strictObject({
      n: z.number().max(5, "must be at most 5: use another tool"),
      kind: z.enum(["a", "b"]).optional(),
    }),
    output: z.object({ n: z.number() }),
    deadlineMs,
    run: (_input, _services, made) => run(made),
  });
}

const echo = tool(async () => ({ data: { n: 1 }, text: "one" }));

function call(
  subject: AnyTool,
  input: unknown,
  options: { signal?: AbortSignal; scopes?: string[]; journal?: Journal } = {},
) {
  const services: ToolServices = NO_SERVICES;
  return callTool(
    [subject],
    services,
    { ...caller, scopes: options.scopes ?? caller.scopes },
    {
      name: "sample",
      input,
      requestId: 1,
      signal: options.signal ?? new AbortController().signal,
      progress: async () => {},
      journal: options.journal ?? (() => {}),
    },
  );
}

const textOf = (result: { content: { type: string; text?: string }[] }) =>
  result.content.map(({ text }) => text).join("\n");

describe("the pipeline", () => {
  it("answers with text and data", async () => {
    expect(await call(echo, { n: 1 })).toEqual({
      content: [{ type: "text", text: "one" }],
      structuredContent: { n: 1 },
    });
  });

  it.each([
    [{}, "n is missing"],
    [{ n: "x" }, "n must be number"],
    [{ n: 6 }, "n must be at most 5: use another tool"],
    [{ n: 1, kind: "c" }, "kind must be one of a, b"],
    [{ n: 1, colour: "red" }, "unknown argument colour"],
    ["text", "the arguments must be object"],
  ])("says what is wrong with %j", async (input, problem) => {
    const result = await call(echo, input);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain(problem);
    expect(textOf(result)).toContain("Its arguments are: n, kind.");
    expect(textOf(result).length).toBeLessThan(200);
  });

  it("refuses a tool whose permission was not granted", async () => {
    const result = await call(echo, { n: 1 }, { scopes: ["chat"] });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('needs the permission "exec"');
  });

  it("shows a failure's hint and hides an unexpected error", async () => {
    const expected = await call(
      tool(() => Promise.reject(new Failure("not_found", "Gone.", { hint: "Look elsewhere." }))),
      { n: 1 },
    );
    expect(textOf(expected)).toBe("Gone.\nLook elsewhere.");
    const unexpected = await call(
      tool(() => Promise.reject(new Error("key=hunter2"))),
      { n: 1 },
    );
    expect(textOf(unexpected)).not.toContain("hunter2");
  });

  it("ends a tool that does not end at its deadline", async () => {
    const result = await call(
      tool(() => new Promise(() => {}), 10),
      { n: 1 },
    );
    expect(textOf(result)).toContain("Not done within 10 ms");
  });

  it("ends a tool when its caller goes, and tells it so", async () => {
    const client = new AbortController();
    let told = false;
    const running = call(
      tool(({ signal }) => {
        signal.addEventListener("abort", () => {
          told = true;
        });
        return new Promise(() => {});
      }),
      { n: 1 },
      { signal: client.signal },
    );
    client.abort();
    expect(textOf(await running)).toBe("The call was cancelled.");
    expect(told).toBe(true);
  });

  it("writes one line into the journal for each call, without its arguments", async () => {
    const written: JournalEntry[] = [];
    const journal: Journal = (entry) => void written.push(entry);
    await call(echo, { n: 4, kind: "a" }, { journal });
    await call(echo, { kind: "a", n: 4 }, { journal });
    await call(echo, { n: "hunter2" }, { journal });
    const [first, again, wrong] = written;
    expect(first).toMatchObject({ kind: "call", principal: "0".repeat(32), client: "client", action: "sample" });
    expect(first?.digest).toMatch(/^[0-9a-f]{16}$/);
    expect(again?.digest).toBe(first?.digest);
    expect(wrong?.digest).not.toBe(first?.digest);
    expect(written.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "invalid_input"]);
    expect(JSON.stringify(written)).not.toContain("hunter2");
  });

  it("does not repeat the name of a tool that is none in the journal", async () => {
    const written: JournalEntry[] = [];
    const services: ToolServices = NO_SERVICES;
    await callTool([echo], services, caller, {
      name: "hunter2",
      input: {},
      requestId: 1,
      signal: new AbortController().signal,
      progress: async () => {},
      journal: (entry) => void written.push(entry),
    });
    expect(written).toMatchObject([{ action: "unknown", outcome: "not_found" }]);
  });

  it("cuts what clients would cut", async () => {
    const result = await call(
      tool(async () => ({ data: { n: 1 }, text: "x".repeat(50_000) })),
      { n: 1 },
    );
    expect(textOf(result).length).toBeLessThan(24_100);
    expect(textOf(result)).toContain("26000 characters left out");
  });
});

describe("every tool", () => {
  it.each(TOOLS.map((each) => [each.name, each] as const))(
    "%s is described and named like the others",
    (name, each) => {
      expect(name).toMatch(/^(chat|command|file|bot)_[a-z]+$/);
      const { inputSchema, annotations, description } = describeTool(each);
      expect(inputSchema.additionalProperties).toBe(false);
      expect(annotations?.readOnlyHint).toBe(each.effect === "read");
      expect(description?.length).toBeLessThan(400);
      expect(SCOPE_NAMES).toContain(each.scope);
    },
  );

  it("is offered only with its permission, in a stable order", () => {
    expect(toolsFor(TOOLS, [])).toEqual([]);
    expect(toolsFor(TOOLS, ["control", "chat"])).toEqual(TOOLS.filter(({ scope }) => scope !== "exec"));
  });

  it("has a name of its own", () => {
    expect(new Set(TOOLS.map(({ name }) => name)).size).toBe(TOOLS.length);
  });

  it("leaves room for the instructions in a model's context", () => {
    expect(INSTRUCTIONS.length).toBeLessThanOrEqual(1500);
  });
});
