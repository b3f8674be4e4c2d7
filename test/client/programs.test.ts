import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findTarget } from "../../local/client/target.ts";
import { program } from "./program.ts";
import { type ClientStack, clientStack } from "./stack.ts";

let stack: ClientStack;
beforeAll(async () => {
  stack = await clientStack();
});
afterAll(() => stack.close());

const chat = (args: string[], stdin?: string) =>
  program("chat", ["--state", stack.stateFolder, ...args], stdin === undefined ? {} : { stdin });

test("token prints a token and nothing else", async () => {
  const { out, err, code } = await program("token", ["--state", stack.stateFolder]);
  expect(out).toMatch(/^[\w-]+:[\w-]+:[\w-]+\n$/);
  expect([err, code]).toEqual(["", 0]);
});

test("chat prints the answer, and the steps beside it", async () => {
  const { out, err, code } = await chat(["steps"]);
  expect(out).toBe("Let me see. \nTwo files.\n");
  expect(err).toBe("⚙ exec: ls\n");
  expect(code).toBe(0);
});

test("chat follows a long answer to its end", async () => {
  expect(await chat(["slow"])).toEqual({ out: "one two three\n", err: "", code: 0 });
});

test("chat --json prints the whole run as one line", async () => {
  const { out } = await chat(["--json", "slow"]);
  expect(out.endsWith("\n")).toBe(true);
  expect(JSON.parse(out)).toMatchObject({ run_id: "r1", conversation: "main", status: "done", text: "one two three" });
});

test("chat sends conversation, image and stdin", async () => {
  const image = join(stack.stateFolder, "a.png");
  await writeFile(image, "PNG");
  const { out } = await chat(["--conversation", "work", "--image", image, "-"], "from stdin\n");
  expect(JSON.parse(out)).toMatchObject({
    input: {
      message: "from stdin",
      conversation: "work",
      attachments: [{ mime_type: "image/png", name: "a.png", data: btoa("PNG") }],
    },
  });
});

test("chat saves the pictures of an answer", async () => {
  const { out, err } = await chat(["picture"]);
  expect(out).toBe("Here.\n");
  const [, file = ""] = /^⚙ picture: (.*)\n$/.exec(err) ?? [];
  expect(await readFile(file, "utf8")).toBe("PNG");
});

test("chat fails with the error and its hint", async () => {
  expect(await chat(["fail"])).toEqual({ out: "", err: "The model is out.\nTry later.\n", code: 1 });
  expect(await chat(["refuse"])).toEqual({ out: "", err: "message must not be empty\nSay something.\n", code: 1 });
});

test("chat explains arguments it cannot use", async () => {
  expect(await chat([])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^There is no message\.\nnpm run chat -- /),
  });
  expect(await chat(["--nonsense", "x"])).toMatchObject({ code: 1, err: expect.stringContaining("--nonsense") });
  expect(await chat(["--image", "a.txt", "x"])).toMatchObject({ code: 1, err: expect.stringContaining(".png") });
  expect(await chat(["--image", "missing.png", "x"])).toMatchObject({
    code: 1,
    err: "There is no file missing.png.\n",
  });
});

test("both say how to start the server when none runs, or none any more", async () => {
  const empty = await mkdtemp(join(tmpdir(), "client-"));
  const expected = { code: 1, out: "", err: expect.stringMatching(/^No Moltbot is running[\s\S]*npm start/) };
  expect(await program("token", ["--state", empty])).toMatchObject(expected);
  const gone = spawn(process.execPath, ["-e", ""]);
  await once(gone, "close");
  await writeFile(join(empty, "run.json"), JSON.stringify({ url: stack.url, pid: gone.pid, passwordFile: "none" }));
  expect(await program("chat", ["--state", empty, "hello"])).toMatchObject(expected);
  await rm(empty, { recursive: true });
});

test("only the address that runs here gets its password", () => {
  expect(findTarget(undefined, stack.stateFolder)).toEqual({ url: stack.url, password: stack.password });
  expect(findTarget(`${stack.url}/mcp`, stack.stateFolder)).toEqual({ url: stack.url, password: stack.password });
  expect(findTarget("https://moltbot.example", stack.stateFolder)).toEqual({ url: "https://moltbot.example" });
  expect(() => findTarget("moltbot", stack.stateFolder)).toThrow("no address");
});

test("chat shows a person where to sign in at another address", async () => {
  const { hostname, port } = new URL(stack.url);
  const other = `http://${hostname === "localhost" ? "127.0.0.1" : "localhost"}:${port}`;
  const file = fileURLToPath(new URL("../../local/client/chat.ts", import.meta.url));
  const child = spawn(process.execPath, [file, "--state", stack.stateFolder, "--url", other, "hello"]);
  const [shown] = await once(child.stderr, "data");
  child.kill();
  await once(child, "close");
  expect(String(shown)).toContain(`${other}/authorize?response_type=code`);
});
