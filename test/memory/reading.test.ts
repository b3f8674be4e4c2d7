import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestClient } from "../auth/client.ts";
import { type AuthStack, authStack, OWNER, SERVICE_TOKEN } from "../auth/stack.ts";
import { connect, type Session } from "../e2e/client.ts";
import { archiveOf } from "./archives.ts";

const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const bytes = randomBytes(2_500_000);
/** Text as far as a first look goes. */
const late = Buffer.concat([Buffer.from("a line of text\n".repeat(2_000)), Buffer.from([0, 0xff, 0xfe])]);

let stack: AuthStack;
let session: Session;
beforeAll(async () => {
  stack = await authStack();
  const body = await archiveOf({
    "workspace/data.bin": bytes,
    "workspace/pixel.png": picture,
    "workspace/late.txt": late,
    "workspace/empty": "",
    "workspace/umlauts.txt": "äöü".repeat(10_000),
  });
  const ticket = await stack.issuer.ticket({ common_name: SERVICE_TOKEN, sub: "" });
  const headers = { "cf-access-jwt-assertion": ticket, "content-type": "application/gzip" };
  const taken = await fetch(`${stack.url}/admin/api/generations/import`, { method: "POST", headers, body });
  expect(taken.status).toBe(200);
  const client = await TestClient.register(stack.url);
  session = await connect({ url: stack.url }, (await client.tokens(["memory", "chat"])).access_token);
});
afterAll(async () => {
  await session.close();
  await stack.close();
});

const sum = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

async function resource(uri: string) {
  const [content] = (await session.client.readResource({ uri })).contents;
  if (!content) throw new Error(`nothing at ${uri}`);
  return content;
}

describe("a file of the memory that is no text", () => {
  it("is said to be none by memory_read, which tells what else there is", async () => {
    for (const path of ["data.bin", "pixel.png"]) {
      const { isError, text } = await session.call("memory_read", { path });
      expect([path, isError]).toEqual([path, true]);
      expect(text).toMatch(/is not text[\s\S]*resource gives the bytes/);
    }
    const first = await session.call("memory_read", { path: "late.txt", limit: 100 });
    expect(first.data.content).toHaveLength(100);
    const last = await session.call("memory_read", { path: "late.txt", offset: 29_990 });
    expect(last).toMatchObject({ isError: true, text: expect.stringContaining("is not text") });
  });

  it("comes whole as a resource, part after part, and a picture as one", async () => {
    const parts: Buffer[] = [];
    for (let offset = 0; offset < bytes.byteLength; offset += 1_000_000) {
      const content = await resource(`memory:///workspace/data.bin?offset=${offset}&limit=1000000`);
      if (!("blob" in content)) throw new Error("it came as text");
      expect(content.mimeType).toBe("application/octet-stream");
      parts.push(Buffer.from(content.blob, "base64"));
    }
    expect(sum(Buffer.concat(parts))).toBe(sum(bytes));
    expect(await resource("memory:///workspace/pixel.png")).toMatchObject({
      mimeType: "image/png",
      blob: picture.toString("base64"),
    });
    expect(await stack.counts()).toMatchObject({ starts: 0, running: false });
  });

  it("is not what an empty file is taken for, nor text whose letters are cut in two", async () => {
    expect((await session.call("memory_read", { path: "empty" })).data).toMatchObject({ size: 0, content: "" });
    let text = "";
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const { data } = await session.call("memory_read", { path: "umlauts.txt", offset, limit: 20_001 });
      text += data.content;
      offset = data.next_offset;
    }
    expect(text).toBe("äöü".repeat(10_000));
  });
});

describe("the memory, while the bot sleeps", () => {
  it("tells clients and people alike when it was last committed, how far behind, how much it is and when it is pruned", async () => {
    const { data, text } = await session.call("bot_status");
    expect(data.memory).toEqual({
      generation: expect.stringMatching(/^\d{8}$/),
      committed_at: expect.stringMatching(/^\d{4}-/),
      files: 5,
      bytes: expect.any(Number),
      generations: 1,
      stored_bytes: expect.any(Number),
      next_prune: expect.stringMatching(/^\d{4}-/),
      not_kept: [],
    });
    expect(data.memory.stored_bytes).toBeGreaterThan(bytes.byteLength);
    expect(text).toMatch(
      /Memory: generation \d{8} of .*: 5 files, \d+ bytes\.\n1 generations in \d+ bytes\.\nThe next prune/,
    );
    const ticket = await stack.issuer.ticket({ email: OWNER.email, sub: OWNER.email });
    const answer = await fetch(`${stack.url}/admin/api/status`, { headers: { cookie: `CF_Authorization=${ticket}` } });
    expect(await answer.json()).toMatchObject({
      memory: {
        head: { id: data.memory.generation, files: 5, at: Date.parse(data.memory.committed_at) },
        // What was committed came by an import, and had waited for nothing.
        lagMs: null,
        generations: 1,
        storedBytes: data.memory.stored_bytes,
        nextPrune: Date.parse(data.memory.next_prune),
        problem: null,
        skipped: [],
      },
    });
  });

  it("is offered as a template, its paths and generations are completed, and a wrong address is told", async () => {
    const uri = "memory:///{+path}{?generation,offset,limit}";
    const { resourceTemplates } = await session.client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain(uri);
    const complete = async (name: string, value: string) =>
      (await session.client.complete({ ref: { type: "ref/resource", uri }, argument: { name, value } })).completion
        .values;
    expect(await complete("path", "workspace/e")).toEqual(["workspace/empty"]);
    expect(await complete("path", "workspace/../")).toEqual([]);
    expect(await complete("path", "state/")).toEqual([]);
    const [generation = ""] = await complete("generation", "");
    expect(await resource(`memory:///workspace/umlauts.txt?generation=${generation}&limit=6`)).toMatchObject({
      mimeType: "text/plain",
      text: "äöü",
    });
    for (const wrong of [
      "memory:///workspace/nothing",
      "memory:///workspace/..%2f..%2fhead.json",
      "memory:///state/openclaw.json",
      "memory:///workspace/umlauts.txt?generation=99999999",
      "memory:///workspace/umlauts.txt?generation=latest",
      "memory:///workspace/umlauts.txt?offset=-1",
      "memory:///%ff",
    ]) {
      await expect(resource(wrong), wrong).rejects.toThrow();
    }
    expect(await stack.counts()).toMatchObject({ starts: 0, running: false });
  });
});
