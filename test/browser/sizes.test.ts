import { afterAll, beforeAll, expect, it } from "vitest";
import { describeTool } from "../../src/mcp/describe.ts";
import { TOOLS } from "../../src/tools/registry.ts";
import { type Peer, startPlaywright } from "./playwright.ts";
import { type BrowserStack, startBrowserStack } from "./stack.ts";

let stack: BrowserStack;
let peer: Peer;

beforeAll(async () => {
  stack = await startBrowserStack();
  peer = await startPlaywright(stack.chromium);
});

afterAll(async () => {
  await peer?.close();
  await stack?.close();
});

/** What a model is given of a tool. */
function seen({
  name,
  description,
  inputSchema,
}: {
  name: string;
  description?: string | undefined;
  inputSchema: unknown;
}) {
  return { name, description, inputSchema };
}

const PAGES = [
  "form",
  "shop",
  "admin",
  "article",
  "iframes",
  "shadow",
  "dialogs",
  "endless",
  "popup",
  "tricks",
  "inner",
  "moving",
  "large",
];

it("tells each page in fewer characters than playwright-mcp, whole and by default", async () => {
  const table: string[] = [];
  for (const page of PAGES) {
    const url = `${stack.pages.url}/${page}`;
    await stack.call("navigate", { url });
    const full = (await stack.call("snapshot", { mode: "full" })).data.total;
    const shown = (await stack.call("snapshot")).data.snapshot.length;
    await peer.call("browser_navigate", { url });
    const theirs = (await peer.call("browser_snapshot")).length;
    table.push(`${page.padEnd(10)} ${[shown, full, theirs].map((size) => String(size).padStart(8)).join("")}`);
    expect(theirs, `${page}: playwright-mcp saw nothing`).toBeGreaterThan(100);
    expect([page, full < theirs, shown <= 8000]).toEqual([page, true, true]);
  }
  process.stderr.write(`${"characters".padEnd(10)}  default    full playwright-mcp\n${table.join("\n")}\n`);
});

it("describes its tools in fewer characters than playwright-mcp", async () => {
  const ours = TOOLS.filter(({ name }) => name.startsWith("browser_")).map((tool) => describeTool(tool, ""));
  const { tools: theirs } = await peer.client.listTools();
  expect(ours).toHaveLength(16);
  const sizes = [ours, theirs].map((tools) => JSON.stringify(tools.map(seen)).length);
  process.stderr.write(`schemas: ${sizes.join(" : ")} of playwright-mcp's ${theirs.length} tools\n`);
  expect(sizes[0]).toBeLessThan(10_000);
  expect(sizes[0]).toBeLessThan(0.75 * (sizes[1] ?? 0));
});
