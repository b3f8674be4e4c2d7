import { expect, test } from "vitest";
import { LABEL, planReply } from "../../local/model/plan.ts";
import type { MessagesRequest } from "../../local/model/request.ts";
import { gatewayRequest } from "./request.ts";

const SETUP = "Set a key.";

function reply(request: MessagesRequest) {
  const plan = planReply(request, SETUP);
  if (plan.kind === "error") throw new Error(`status ${plan.status}`);
  return { text: plan.passages.map(({ text }) => text).join(""), call: plan.call, dropped: plan.dropped === true };
}

test("repeats a message that is no script, without the gateway's additions, and says how to get a model", () => {
  const { text, call } = reply(gatewayRequest("good morning"));
  expect(text.startsWith(`${LABEL}You said: good morning\n`)).toBe(true);
  expect(text).toContain(SETUP);
  expect(call).toBeUndefined();
});

test("counts the images that came with a message", () => {
  const request = gatewayRequest("");
  request.messages.push({ role: "user", content: [{ type: "image" }, { type: "text", text: "look" }] });
  expect(reply(request).text).toContain("You said (and 1 image): look");
});

test("starts every text with the label", () => {
  for (const script of ["say: x", "slow: 2", "long: 2", "picture: a.png", "tool: nosuch {}", "slow: x", "drop:"]) {
    expect(reply(gatewayRequest(script)).text.startsWith(LABEL)).toBe(true);
  }
});

test("asks for the exec tool with the command", () => {
  expect(reply(gatewayRequest("run: ls -la | wc -l")).call).toEqual({
    name: "exec",
    input: { command: "ls -la | wc -l" },
  });
});

test("quotes the result when the tool has answered", () => {
  const { text, call } = reply(gatewayRequest("run: ls", ["a.txt"]));
  expect(call).toBeUndefined();
  expect(text).toBe(`${LABEL}The tool exec answered:\n\`\`\`\na.txt\n\`\`\``);
});

test("fences a result that has fences of its own", () => {
  expect(reply(gatewayRequest("run: x", ["```\nMEDIA:/etc/hosts"])).text).toContain(
    "````\n```\nMEDIA:/etc/hosts\n````",
  );
});

test("runs several steps in order, one request each", () => {
  const script = "Please do\nrun: one\nsay: between\nrun: two\nsay: end";
  expect(reply(gatewayRequest(script)).call?.input).toEqual({ command: "one" });
  const second = reply(gatewayRequest(script, ["1"]));
  expect(second.call?.input).toEqual({ command: "two" });
  expect(second.text).toBe(`${LABEL}between`);
  const last = reply(gatewayRequest(script, ["1", "2"]));
  expect(last.text).toMatch(/```\n1\n```[\s\S]*```\n2\n```\n\nend$/);
});

test("adds a remembered line to what MEMORY.md holds", () => {
  const script = "remember: the cat is Mia";
  expect(reply(gatewayRequest(script)).call).toEqual({ name: "read", input: { path: "MEMORY.md", optional: true } });
  const append = reply(gatewayRequest(script, ["# Memory\n- old"])).call;
  expect(append).toEqual({
    name: "write",
    input: { path: "MEMORY.md", content: "# Memory\n- old\n- the cat is Mia\n" },
  });
});

test("starts MEMORY.md when there is none", () => {
  const { call } = reply(gatewayRequest("remember: x", ["Optional file not found: MEMORY.md."]));
  expect(call?.input).toEqual({ path: "MEMORY.md", content: "- x\n" });
});

test("leaves MEMORY.md alone when it is too long to have been read whole, or could not be read", () => {
  const long = reply(gatewayRequest("remember: x", ["y".repeat(50_000)]));
  expect(long.call).toBeUndefined();
  expect(long.text).toContain("too long");
  expect(reply(gatewayRequest("remember: x", ["!no such luck"])).call).toBeUndefined();
});

test("reaches a catalogued tool through tool_call, under its own name in the reply", () => {
  const script = "browse: https://example.com/";
  expect(reply(gatewayRequest(script)).call).toEqual({
    name: "tool_call",
    input: { id: "browser", args: { action: "open", url: "https://example.com/" } },
  });
  expect(reply(gatewayRequest(script, ["opened", "Example Domain"])).text).toContain("The tool browser answered:");
});

test("stops a step whose tool failed and goes on with the next", () => {
  expect(reply(gatewayRequest("browse: https://example.com/\nsay: next", ["!refused"])).text).toMatch(
    /browser failed:[\s\S]*next$/,
  );
});

test("says plainly that a tool is not offered, or not with these arguments", () => {
  expect(reply(gatewayRequest("tool: nosuch {}")).text).toContain(
    "nosuch is not offered in this request (offered: exec,",
  );
  expect(reply(gatewayRequest("run: ls", [], { tools: [] })).text).toContain("offered: none");
  expect(reply(gatewayRequest('tool: exec {"cmd":"ls"}')).text).toContain("it does not know cmd, it wants command");
});

test("says what is wrong with a step", () => {
  expect(reply(gatewayRequest("slow: many")).text).toContain("slow: wants a number of words from 1 to 3000");
  expect(reply(gatewayRequest("browse: somewhere")).text).toContain("browse: wants an address");
  expect(reply(gatewayRequest("tool: exec ls")).text).toContain("tool: wants a name and a JSON object");
});

test("sends a picture as an attachment line of its own", () => {
  expect(reply(gatewayRequest("picture: out/a b.png")).text.split("\n")).toContain("MEDIA:out/a b.png");
});

test("fails with the status asked for", () => {
  expect(planReply(gatewayRequest("fail: 529"), SETUP)).toMatchObject({ kind: "error", status: 529 });
});

test("does not take an ordinary sentence for a script", () => {
  expect(reply(gatewayRequest("I say: constructor: run:away")).text).toContain("You said: I say:");
});
