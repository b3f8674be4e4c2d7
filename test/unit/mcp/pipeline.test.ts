import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Failure } from "../../../src/core/failure.ts";
import type { Journal, JournalEntry } from "../../../src/core/journal.ts";
import { SCOPE_NAMES } from "../../../src/core/scope.ts";
import { describeTool } from "../../../src/mcp/describe.ts";
import type { McpContext } from "../../../src/mcp/context.ts";
import { instructionsFor } from "../../../src/mcp/instructions.ts";
import { CATALOG, toolsetsOf } from "../../../src/mcp/catalog.ts";
import type { Selection } from "../../../src/mcp/selection.ts";
import { callTool } from "../../../src/mcp/pipeline.ts";
import { answerTo, elicitation } from "../../../src/tools/ask.ts";
import { TOOLS } from "../../../src/tools/registry.ts";
import type { ToolServices } from "../../../src/tools/services.ts";
import { type AnyTool, type Call, defineTool, type Outcome } from "../../../src/tools/tool.ts";

// The tools below need no service; reading one is a bug that shows.
const NO_SERVICES = new Proxy(Object.create(null), {
  get(_target, name) {
    throw new Error(`no service ${String(name)} here`);
  },
});

const URL = "https://moltbot.example";

const caller = {
  principal: { id: "0".repeat(32), email: "me@example.com" },
  clientId: "client",
  scopes: ["exec"],
};

function tool(run: (call: Call) => Promise<Outcome<{ n: number }>>, deadlineMs = 1000): AnyTool {
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

const callToolResult = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
});

interface Options {
  signal?: AbortSignal;
  scopes?: string[];
  journal?: Journal;
  canAsk?: boolean;
  name?: string;
  selection?: Selection;
}

async function call(subject: AnyTool, input: unknown, options: Options = {}) {
  const result = await asked(subject, input, options);
  return callToolResult.parse(result);
}

function asked(subject: AnyTool, input: unknown, options: Options = {}) {
  const services: ToolServices = NO_SERVICES;
  const context: McpContext = {
    catalog: { tools: [subject], prompts: [], resources: [] },
    selection: options.selection ?? { readOnly: false },
    publicUrl: URL,
    services,
    caller: { ...caller, scopes: options.scopes ?? caller.scopes },
    journal: options.journal ?? (() => {}),
    signingKey: async () => "k".repeat(64),
    waitUntil: (work) => void work,
  };
  return callTool(context, {
    name: options.name ?? "sample",
    input,
    principal: caller.principal.id,
    client: caller.clientId,
    caller: "caller",
    signal: options.signal ?? new AbortController().signal,
    progress: async () => {},
    scopes: ["exec"],
    canAsk: options.canAsk ?? false,
    canTask: false,
    resume: async () => undefined,
    sign: async (state) => JSON.stringify(state),
  });
}

const textOf = (result: { content: { text?: string | undefined }[] }) =>
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

  it("refuses a tool that the address leaves out", async () => {
    const result = await call(echo, { n: 1 }, { selection: { readOnly: false, toolsets: new Set(["chat"]) } });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain("not offered at the address");
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
    const begun = Promise.withResolvers<void>();
    const running = call(
      tool(({ signal }) => {
        begun.resolve();
        signal.addEventListener("abort", () => {
          told = true;
        });
        return new Promise(() => {});
      }),
      { n: 1 },
      { signal: client.signal },
    );
    await begun.promise;
    client.abort();
    expect(textOf(await running)).toBe("The call was cancelled.");
    expect(told).toBe(true);
  });

  it("cuts what clients would cut", async () => {
    const result = await call(
      tool(async () => ({ data: { n: 1 }, text: "x".repeat(50_000) })),
      { n: 1 },
    );
    expect(textOf(result).length).toBeLessThan(24_100);
    expect(textOf(result)).toContain("26000 characters left out");
  });

  it("cuts data too, the longest texts of it, and keeps its shape", async () => {
    const data = { n: 1, short: "abc", long: "x".repeat(50_000), list: [{ text: "y".repeat(30_000) }, { text: "z" }] };
    const result = await call(
      tool(async () => ({ data, text: "" })),
      { n: 1 },
    );
    expect(JSON.stringify(result.structuredContent).length).toBeLessThan(24_200);
    const shape = z.object({
      n: z.number(),
      short: z.string(),
      long: z.string(),
      list: z.array(z.object({ text: z.string() })),
    });
    const cut = shape.parse(result.structuredContent);
    expect(cut).toMatchObject({ n: 1, short: "abc", list: [{}, { text: "z" }] });
    expect(cut.long.length).toBe(cut.list[0]?.text.length);
    expect(cut.long.length).toBeGreaterThan(11_000);
  });
});

describe("a tool that asks its person", () => {
  const asking = tool(async () => ({
    ask: { go: elicitation("Go on?", z.object({ yes: z.boolean() })) },
    state: { run: "r1" },
  }));

  it("answers with the question and a signed state", async () => {
    expect(await asked(asking, { n: 1 }, { canAsk: true })).toEqual({
      resultType: "input_required",
      inputRequests: {
        go: {
          method: "elicitation/create",
          params: {
            mode: "form",
            message: "Go on?",
            requestedSchema: { type: "object", properties: { yes: { type: "boolean" } }, required: ["yes"] },
          },
        },
      },
      requestState: '{"run":"r1"}',
    });
  });

  it("reads the answer, and nothing into what does not fit", () => {
    const form = z.object({ yes: z.boolean() });
    const answered = (go: unknown) => answerTo({ answers: { go }, state: undefined }, "go", form);
    expect(answered({ action: "accept", content: { yes: true } })).toEqual({
      action: "accept",
      content: { yes: true },
    });
    expect(answered({ action: "decline" })).toEqual({ action: "decline" });
    expect(answered({ action: "accept", content: { yes: "true" } })).toBeUndefined();
    expect(answered({ action: "allow" })).toBeUndefined();
    expect(answerTo(undefined, "go", form)).toBeUndefined();
  });
});

describe("the journal", () => {
  it("has a line for each call, without its arguments", async () => {
    const entries: JournalEntry[] = [];
    const journal = (entry: JournalEntry) => void entries.push(entry);
    await call(echo, { n: 1, kind: "a" }, { journal });
    await call(echo, { kind: "a", n: 1 }, { journal });
    await call(echo, { n: "secret words" }, { journal });
    await expect.poll(() => entries.length).toBe(3);
    const [first, second, third] = entries;
    expect(first).toMatchObject({ kind: "call", client: "client", action: "sample", outcome: "ok" });
    expect(first?.principal).toBe(caller.principal.id);
    expect(first?.digest).toMatch(/^[0-9a-f]{16}$/);
    expect(second?.digest).toBe(first?.digest);
    expect(third?.digest).not.toBe(first?.digest);
    expect(third?.outcome).toBe("invalid_input");
    expect(JSON.stringify(entries)).not.toContain("secret");
  });
});

describe("an unknown name", () => {
  it("is not repeated in the journal", async () => {
    const entries: JournalEntry[] = [];
    const result = await call(echo, {}, { name: "hunter2", journal: (entry) => void entries.push(entry) });
    expect(result.isError).toBe(true);
    await expect.poll(() => entries).toMatchObject([{ action: "unknown", outcome: "not_found" }]);
  });
});

describe("every tool", () => {
  it.each(TOOLS.map((each) => [each.name, each] as const))(
    "%s is described and named like the others",
    (name, each) => {
      expect(name).toMatch(/^[a-z]+_[a-z]+$/);
      const { inputSchema, outputSchema, annotations, description, title, icons } = describeTool(each, URL);
      expect(title).toBe(annotations?.title);
      expect(outputSchema?.type).toBe("object");
      expect(icons?.[0]?.src).toMatch(/^https:\/\/moltbot\.example\/icons\/[a-z]+\.svg$/);
      expect(inputSchema.additionalProperties).toBe(false);
      expect(annotations?.readOnlyHint).toBe(each.effect === "read");
      expect(description?.length).toBeLessThan(400);
      expect(SCOPE_NAMES).toContain(each.scope);
    },
  );

  it("has a name of its own", () => {
    expect(new Set(TOOLS.map(({ name }) => name)).size).toBe(TOOLS.length);
  });

  it("leaves room for the instructions in a model's context", () => {
    expect(instructionsFor(toolsetsOf(CATALOG), true).length).toBeLessThanOrEqual(1500);
  });
});
