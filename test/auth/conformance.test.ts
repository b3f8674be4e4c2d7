import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { driveSignIn } from "../../local/client/drive-sign-in.ts";
import { freePort } from "../../local/ports.ts";
import { register } from "./client.ts";
import { type AuthStack, authStack } from "./stack.ts";

let stack: AuthStack;
let results: string;
beforeAll(async () => {
  stack = await authStack();
  results = await mkdtemp(join(tmpdir(), "conformance-"));
});
afterAll(async () => {
  await stack.close();
  await rm(results, { recursive: true, force: true });
});

const checksSchema = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }));

/** Runs the tool; whoever has to sign in for it is played by `visit`, which is given the address it prints. */
async function conformance(argv: string[], visit: (url: string) => Promise<void>): Promise<string> {
  const child = spawn("conformance", ["authorization", "--url", stack.url, "-o", results, ...argv]);
  let printed = "";
  let visited: Promise<void> | undefined;
  const read = (chunk: Buffer) => {
    printed += chunk.toString();
    const [url] = /http:\/\/localhost:\d+\/authorize\?\S+/.exec(printed) ?? [];
    if (url !== undefined && /\s$/.test(printed)) visited ??= visit(url);
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  await visited;
  return printed;
}

/** Every check of every scenario, as the tool wrote them down. */
async function checks() {
  const files = (await readdir(results, { recursive: true })).filter((name) => name.endsWith("checks.json"));
  const texts = await Promise.all(files.map((name) => readFile(join(results, name), "utf8")));
  return { scenarios: files.length, checks: texts.flatMap((text) => checksSchema.parse(JSON.parse(text))) };
}

it("passes the authorization scenarios of the conformance suite", async () => {
  const port = await freePort();
  const redirect = `http://127.0.0.1:${port}/callback`;
  const registered = await register(stack.url, { redirect_uris: [redirect] });
  const { client_id } = z.object({ client_id: z.string() }).parse(JSON.parse(registered.text));
  const printed = await conformance(
    ["--client-id", client_id, "--resource", `${stack.url}/mcp`, "--port", String(port)],
    (url) => driveSignIn(url, redirect, { password: "", decision: "approve" }),
  );
  const found = await checks();
  expect(
    found.checks.filter(({ status }) => status !== "SUCCESS"),
    printed,
  ).toEqual([]);
  expect(found.scenarios, printed).toBe(2);
}, 180_000);
