import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NO_SESSION, startTestHost, type TestContainer, type TestHost } from "./container-under-test.ts";

let host: TestHost;
let box: TestContainer;

beforeAll(async () => {
  host = await startTestHost();
  box = host.container("files");
  await box.start();
});

afterAll(() => host[Symbol.asyncDispose]());

async function files() {
  return (await box.api()).files;
}

describe("reading and writing", () => {
  test("writes text, making the directories on the way, and reads it back", async () => {
    const api = await files();
    expect(await api.writeFile("/workspace/a/b/note.md", "# žluť\n", NO_SESSION)).toMatchObject({
      success: true,
      bytesWritten: 9,
    });
    expect(await api.readFile("/workspace/a/b/note.md", NO_SESSION)).toMatchObject({
      content: "# žluť\n",
      encoding: "utf-8",
      isBinary: false,
      mimeType: "text/markdown",
      size: 9,
    });
  });

  test("takes a relative path from the working directory", async () => {
    const api = await files();
    await api.writeFile("relative.txt", "here", NO_SESSION);
    expect(await box.sh("cat /workspace/relative.txt")).toBe("here");
    await (await box.api()).commands.execute("cd /tmp", "somewhere");
    await api.writeFile("relative.txt", "there", "somewhere");
    expect(await box.sh("cat /tmp/relative.txt")).toBe("there");
  });

  test("carries binary content as base64, on its own or asked to", async () => {
    const api = await files();
    const bytes = Buffer.from([0, 1, 2, 255, 254]).toString("base64");
    await api.writeFile("/tmp/bytes", bytes, NO_SESSION, { encoding: "base64" });
    expect(await api.readFile("/tmp/bytes", NO_SESSION)).toMatchObject({
      content: bytes,
      encoding: "base64",
      isBinary: true,
    });
    expect(await api.readFile("/workspace/relative.txt", NO_SESSION, { encoding: "base64" })).toMatchObject({
      content: Buffer.from("here").toString("base64"),
    });
    await expect(api.writeFile("/tmp/x", "not base64!", NO_SESSION, { encoding: "base64" })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
  });

  test("reads files under /proc, which say that they are empty", async () => {
    expect((await (await files()).readFile("/proc/self/status", NO_SESSION)).content).toContain("Name:");
  });

  test("streams in both directions beyond the cap of encoded content", async () => {
    const api = await files();
    const size = 40 * 1024 * 1024;
    const chunk = new Uint8Array(1024 * 1024).map((_, index) => index % 251);
    let sent = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent === size) return controller.close();
        sent += chunk.length;
        controller.enqueue(chunk);
      },
    });
    expect(await api.writeFileStream("/workspace/large", source, NO_SESSION)).toMatchObject({ bytesWritten: size });
    await expect(api.readFile("/workspace/large", NO_SESSION)).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });

    const read = await api.readFile("/workspace/large", NO_SESSION, { encoding: "none" });
    expect(read.size).toBe(size);
    if (!(read.content instanceof ReadableStream)) throw new Error("no stream");
    let received = 0;
    for await (const part of read.content) received += part.length;
    expect(received).toBe(size);
  });

  test("reads a file as events: metadata, chunks, complete", async () => {
    const api = await files();
    await api.writeFile("/tmp/long.txt", "ž".repeat(100_000), NO_SESSION);
    await box.sh("head -c 100000 /dev/urandom > /tmp/random");
    for (const path of ["/tmp/long.txt", "/tmp/random"]) {
      const text = await new Response(await api.readFileStream(path, NO_SESSION)).text();
      const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ""));
      const [metadata, ...rest] = events;
      const complete = rest.pop();
      const encoding = metadata.isBinary ? "base64" : "utf-8";
      const content = Buffer.concat(rest.map(({ data }) => Buffer.from(data, metadata.isBinary ? "base64" : "utf8")));
      expect(metadata).toMatchObject({ type: "metadata", encoding });
      expect(complete).toMatchObject({ type: "complete", bytesRead: metadata.size });
      expect(content.length).toBe(metadata.size);
    }
  });
});

describe("errors carry the code of the SDK", () => {
  test.each([
    ["FILE_NOT_FOUND", "readFile", ["/workspace/none", NO_SESSION]],
    ["IS_DIRECTORY", "readFile", ["/workspace", NO_SESSION]],
    ["FILESYSTEM_ERROR", "readFile", ["/dev/zero", NO_SESSION]],
    ["PERMISSION_DENIED", "readFile", ["/tmp/locked", NO_SESSION]],
    ["NOT_DIRECTORY", "readFile", ["/etc/passwd/x", NO_SESSION]],
    ["VALIDATION_FAILED", "readFile", ["", NO_SESSION]],
    ["READ_ONLY", "writeFile", ["/opt/moltbot/x", "x", NO_SESSION]],
    ["IS_DIRECTORY", "writeFile", ["/workspace", "x", NO_SESSION]],
    ["NAME_TOO_LONG", "writeFile", [`/workspace/${"x".repeat(300)}`, "x", NO_SESSION]],
    ["IS_DIRECTORY", "deleteFile", ["/workspace", NO_SESSION]],
    ["FILE_NOT_FOUND", "deleteFile", ["/workspace/none", NO_SESSION]],
    ["FILE_NOT_FOUND", "renameFile", ["/workspace/none", "/workspace/other", NO_SESSION]],
    ["FILE_EXISTS", "mkdir", ["/workspace", NO_SESSION]],
    ["FILE_NOT_FOUND", "mkdir", ["/workspace/no/parent", NO_SESSION]],
    ["FILE_NOT_FOUND", "listFiles", ["/workspace/none", NO_SESSION]],
    ["NOT_DIRECTORY", "listFiles", ["/etc/passwd", NO_SESSION]],
  ] as const)("%s from %s %s", async (code, method, args) => {
    await box.sh("install -m 000 /dev/null /tmp/locked");
    const call: unknown = Reflect.get(await files(), method);
    if (typeof call !== "function") throw new Error("no such method");
    await expect(Reflect.apply(call, undefined, args)).rejects.toMatchObject({ code });
  });
});

describe("directories", () => {
  test("lists entries with type, size and permissions; hidden ones and deeper ones on request", async () => {
    const api = await files();
    await box.sh(
      "mkdir -p /tmp/list/sub && cd /tmp/list && echo x > sub/deep && touch .hidden && install -m 750 /dev/null run && ln -s run link",
    );
    const names = async (options: object) =>
      (await api.listFiles("/tmp/list", NO_SESSION, options)).files.map(({ relativePath }) => relativePath).toSorted();
    expect(await names({})).toEqual(["link", "run", "sub"]);
    expect(await names({ includeHidden: true })).toEqual([".hidden", "link", "run", "sub"]);
    expect(await names({ recursive: true })).toEqual(["link", "run", "sub", "sub/deep"]);
    const { files: entries } = await api.listFiles("/tmp/list", NO_SESSION);
    expect(entries.find(({ name }) => name === "run")).toMatchObject({
      absolutePath: "/tmp/list/run",
      type: "file",
      mode: "rwxr-x---",
      permissions: { readable: true, writable: true, executable: true },
    });
    expect(entries.find(({ name }) => name === "link")?.type).toBe("symlink");
  });

  test("moves across file systems and into directories, deletes, and tells what exists", async () => {
    const api = await files();
    await box.sh("echo moved > /tmp/to-move; mkdir -p /workspace/target");
    await api.moveFile("/tmp/to-move", "/workspace/target", NO_SESSION);
    expect(await box.sh("cat /workspace/target/to-move")).toBe("moved\n");
    await api.renameFile("/workspace/target/to-move", "/workspace/target/renamed", NO_SESSION);
    expect((await api.exists("/workspace/target/renamed", NO_SESSION)).exists).toBe(true);
    await api.deleteFile("/workspace/target/renamed", NO_SESSION);
    expect((await api.exists("/workspace/target/renamed", NO_SESSION)).exists).toBe(false);
  });
});
