import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";

let worker: Awaited<ReturnType<typeof unstable_startWorker>>;
let url: string;
beforeAll(async () => {
  worker = await unstable_startWorker({
    config: fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url)),
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      persist: false,
      inspector: false,
      watch: false,
      logLevel: "error",
    },
  });
  await worker.ready;
  url = (await worker.url).origin;
  await place("head.json", "the memory's own");
  await place("blobs/aa/x", "the memory's own");
});
afterAll(() => worker.dispose());

const place = (key: string, content: string) =>
  fetch(`${url}/test/bucket/${encodeURIComponent(key)}`, { method: "PUT", body: content });
const placed = async (key: string) => await (await fetch(`${url}/test/bucket/${encodeURIComponent(key)}`)).text();
const keys = async () => z.array(z.string()).parse(await (await fetch(`${url}/test/keys`)).json());

/** As it is written: `fetch` would take the dots out of a path. */
function raw(method: string, path: string, headers: Record<string, string> = {}, body = "") {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request(url, { method, path, headers: { "content-length": String(body.length), ...headers } });
    asked.on("error", reject);
    asked.on("response", (answer) => {
      let text = "";
      answer.on("data", (part: Buffer) => (text += String(part)));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.end(body);
  });
}

describe("what a container can reach of the bucket", () => {
  it("is the folder, and nothing beside it in whatever notation", async () => {
    expect((await raw("PUT", "/STATE/a.txt", {}, "hello")).status).toBe(200);
    expect((await raw("GET", "/STATE/a.txt")).text).toBe("hello");
    expect(await placed("files/a.txt")).toBe("hello");
    for (const path of [
      "/STATE/head.json",
      "/STATE/../head.json",
      "/STATE/%2e%2e/head.json",
      "/STATE/..%2fhead.json",
      "/STATE/%2fhead.json",
      "/STATE//head.json",
      "/STATE/x/../../head.json",
      "/STATE/..%5chead.json",
      "/head.json",
      "/OTHER/head.json",
      "/constructor/head.json",
    ]) {
      const read = await raw("GET", path);
      expect([path, read.status >= 400, read.text.includes("the memory's own")]).toEqual([path, true, false]);
      await raw("PUT", path, {}, "overwritten");
      await raw("DELETE", path);
    }
    for (const source of ["/STATE/head.json", "/STATE/../head.json", "/STATE/%2e%2e/head.json", "/OTHER/head.json"]) {
      await raw("PUT", "/STATE/stolen", { "x-amz-copy-source": source });
      expect(await placed("files/stolen")).not.toContain("the memory's own");
    }
    expect(await placed("head.json")).toBe("the memory's own");
    expect(await placed("blobs/aa/x")).toBe("the memory's own");
    expect((await raw("GET", "/STATE?list-type=2&prefix=")).text).not.toMatch(/head\.json<|blobs/);
    expect((await raw("GET", "/STATE?list-type=2&prefix=..%2F")).text).not.toMatch(/head\.json<|blobs/);
    expect((await keys()).filter((key) => !key.startsWith("files/"))).toEqual(["blobs/aa/x", "head.json"]);
  });
});

const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const canMount = existsSync("/dev/fuse") && spawnSync("s3fs", ["--version"]).status === 0;

// The program that the SDK mounts with; where it is not installed there is nothing to see.
describe.skipIf(!canMount)("a bucket mounted with s3fs", () => {
  it("has the files of a bot that writes there, where tools and people look for them", async () => {
    const root = mkdtempSync(join(tmpdir(), "moltbot-mount-"));
    const folder = join(root, "files");
    mkdirSync(folder);
    writeFileSync(join(root, "passwd"), "x:x", { mode: 0o600 });
    writeFileSync(join(root, "headers.conf"), " Expect:\n", { mode: 0o600 });
    const options = [
      `passwd_file=${join(root, "passwd")}`,
      `ahbe_conf=${join(root, "headers.conf")}`,
      "stat_cache_expire=60,enable_noobj_cache,multipart_size=5,use_path_request_style,nomixupload",
      `url=${url}`,
    ];
    try {
      const mounted = spawnSync("s3fs", ["STATE", folder, "-o", options.join(",")], { encoding: "utf8" });
      expect([mounted.status, mounted.stderr]).toEqual([0, ""]);
      const video = randomBytes(12_000_000);
      mkdirSync(join(folder, "videos/old"), { recursive: true });
      mkdirSync(join(folder, "empty"));
      writeFileSync(join(root, "draft"), video);
      writeFileSync(join(folder, "videos/tour.mp4"), readFileSync(join(root, "draft")));
      writeFileSync(join(folder, "videos/old/ünï b.txt"), "one\n");
      appendFileSync(join(folder, "videos/old/ünï b.txt"), "two\n");
      writeFileSync(join(folder, "before.txt"), "moved");
      renameSync(join(folder, "before.txt"), join(folder, "videos/after.txt"));
      expect(sum(readFileSync(join(folder, "videos/tour.mp4")))).toBe(sum(video));
      const stored = await fetch(`${url}/test/bucket/${encodeURIComponent("files/videos/tour.mp4")}`);
      expect(sum(new Uint8Array(await stored.arrayBuffer()))).toBe(sum(video));
      expect(await placed("files/videos/old/ünï b.txt")).toBe("one\ntwo\n");

      const listed = await (await fetch(`${url}/test/list?path=/files`)).json();
      const entries = z
        .object({ ok: z.literal(true), value: z.array(z.object({ path: z.string(), type: z.string() })) })
        .parse(listed).value;
      const paths = entries.map(({ path, type }) => `${path}${type === "directory" ? "/" : ""}`).toSorted();
      expect(paths).toEqual(
        expect.arrayContaining([
          "/files/videos/",
          "/files/videos/after.txt",
          "/files/videos/old/",
          "/files/videos/old/ünï b.txt",
          "/files/videos/tour.mp4",
        ]),
      );
      expect(paths).not.toContain("/files/before.txt");
      expect(readdirSync(join(folder, "videos")).toSorted()).toEqual(["after.txt", "old", "tour.mp4"]);
    } finally {
      spawnSync("fusermount", ["-uz", folder]);
      rmdirSync(folder);
      spawnSync("rm", ["-r", root]);
    }
  });
});
