import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Answer, connect, type Session, signIn } from "./client.ts";

const bot = inject("bot");
let session: Session;

beforeAll(async () => {
  session = await connect(bot, await signIn(bot));
});
afterAll(() => session.close());

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("files", () => {
  it("are written with their directories and read back in parts that end at whole characters", async () => {
    const content = "ü".repeat(30_000);
    const { data: written } = await session.call("file_write", { path: "deep/er/text.txt", content });
    expect(written).toEqual({ path: "/workspace/deep/er/text.txt", bytes: 60_000 });
    let all = "";
    let offset: number | undefined = 0;
    while (offset !== undefined) {
      const { data }: Answer = await session.call("file_read", {
        path: "deep/er/text.txt",
        offset,
        limit: 9_999,
      });
      all += data.content;
      offset = data.next_offset;
    }
    expect(all).toBe(content);
  });

  it("keep every byte", async () => {
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, n) => n % 256));
    await session.call("file_write", { path: "/tmp/bytes", content: bytes.toString("base64"), encoding: "base64" });
    const { data } = await session.call("file_read", { path: "/tmp/bytes", encoding: "base64" });
    expect(Buffer.from(data.content, "base64").equals(bytes)).toBe(true);
  });

  it("come back as a picture", async () => {
    await session.call("file_write", { path: "p.png", content: PIXEL, encoding: "base64" });
    const { images } = await session.call("file_read", { path: "p.png", encoding: "image" });
    expect(images).toEqual([{ data: PIXEL, mimeType: "image/png" }]);
  });

  it("are listed in order, page by page", async () => {
    await session.call("command_run", {
      command: "mkdir -p many && cd many && for n in $(seq 1000 1249); do : > $n; done",
    });
    const { data: first } = await session.call("file_list", { path: "many" });
    expect(first.entries).toHaveLength(200);
    expect(first.truncated).toBe(true);
    const { data: second } = await session.call("file_list", { path: "many", after: first.entries.at(-1).path });
    const names = [...first.entries, ...second.entries].map(({ path }: { path: string }) => path);
    expect(names).toEqual(Array.from({ length: 250 }, (_, n) => `/workspace/many/${1000 + n}`));
  });

  it.each([
    ["file_read", { path: "no/such" }, "Look at the directory with file_list."],
    ["file_read", { path: "/workspace" }, "That is a directory: use file_list."],
    ["file_read", { path: "/tmp/bytes" }, 'Read it with encoding "base64"'],
    ["file_read", { path: "/tmp/bytes", encoding: "image" }, "is not a png, jpeg, gif or webp image"],
    ["file_read", { path: "a\0b" }, "must not contain a NUL character"],
    ["file_read", { path: "x", offset: -1 }, "offset must be at least 0"],
    ["file_write", { path: "/usr/x", content: "" }, "Choose a path under /workspace"],
    ["file_write", { path: "/workspace/deep", content: "" }, "That is a directory"],
    ["file_list", { path: "/no/such" }, "no such file or directory"],
  ])("%s %j says what to do", async (name, input, problem) => {
    await session.call("file_write", { path: "/tmp/bytes", content: "AAH/", encoding: "base64" });
    const { text, isError } = await session.call(name, input);
    expect(text).toContain(problem);
    expect(isError).toBe(true);
    expect(text.length).toBeLessThan(300);
  });
});
