import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_CHARACTERS } from "../../src/browser/limits.ts";
import { type BrowserStack, SECRET, startBrowserStack } from "./stack.ts";

let stack: BrowserStack;

beforeAll(async () => {
  stack = await startBrowserStack();
  await stack.call("navigate", { url: `${stack.pages.url}/inner` });
});

afterAll(() => stack?.close());

/** Not even its first word is told. */
const [FIRST = ""] = SECRET.split(" ");

/** What an answer says, all of it. */
const all = (answer: unknown) => JSON.stringify(answer);

/** An expression: the secret behind so many letters. */
const long = (length: number) => `'v'.repeat(${length}) + ${JSON.stringify(SECRET)}`;

describe("a secret that a page shows", () => {
  it.each([
    [
      "a name that is shortened",
      "document.body.innerHTML = '<button>x</button>'; document.querySelector('button').ariaLabel = 'n'.repeat(70) + secret",
      "snapshot",
      {},
    ],
    [
      "a text in parts",
      "document.body.innerHTML = '<p></p>'; document.querySelector('p').textContent = 't'.repeat(490) + secret",
      "read",
      { characters: 500 },
    ],
    ["a line of the console", "console.error('c'.repeat(490) + secret)", "logs", { kind: "console" }],
    [
      "a request's address",
      "void fetch('/?' + 'r'.repeat(450) + '=' + encodeURIComponent(secret)).catch(() => 0)",
      "logs",
      { kind: "network" },
    ],
  ])("is not half told by %s", async (_what, script, tool, input) => {
    const expression = `(() => { const secret = ${JSON.stringify(SECRET)}; ${script}; return 0; })()`;
    await stack.call("evaluate", { expression });
    await stack.call("wait", { idle: true });
    const answer = await stack.call(tool, input);
    expect(answer.failure).toBeUndefined();
    expect(all(answer)).not.toContain(FIRST);
  });

  it("is not half told by a long value, a long error or a long dialog", async () => {
    const value = await stack.call("evaluate", { expression: long(MOST_CHARACTERS - 10) });
    const error = await stack.call("evaluate", { expression: `throw new Error(${long(950)})` });
    expect(error.failure?.message).toContain("vvv");
    const dialog = await stack.call("evaluate", { expression: `alert(${long(990)})` });
    expect(dialog.failure?.message).toContain("vvv");
    const answered = await stack.call("dialog", { accept: true });
    for (const answer of [value, error, dialog, answered]) expect(all(answer)).not.toContain(FIRST);
  });

  it("is in no file that is fetched from it, shown or kept", async () => {
    const url = `/said?text=${encodeURIComponent(`It is ${SECRET}, twice ${SECRET}.`)}`;
    const shown = await stack.call("download", { url });
    expect(shown.data.text).toBe("It is [secret:LOGIN], twice [secret:LOGIN].");
    expect(shown.data.bytes).toBe(shown.data.text.length);
    const kept = await stack.call("download", { url, save_as: "kept.txt" });
    const file = await (await stack.get(`/file?path=${kept.data.path}`)).text();
    expect(file).toBe(shown.data.text);
    for (const answer of [shown, kept]) expect(all(answer)).not.toContain(FIRST);
  });
});
