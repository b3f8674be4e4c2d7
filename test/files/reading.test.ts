import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { answerOf, TestClient } from "../auth/client.ts";
import { expectDiscreet } from "../auth/discreet.ts";
import { type AuthStack, authStack, OWNER } from "../auth/stack.ts";
import { connect, type Session } from "../e2e/client.ts";

const video = new Uint8Array(randomBytes(300_000));
const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let stack: AuthStack;
let session: Session;
let ticket: Record<string, string>;
beforeAll(async () => {
  stack = await authStack();
  const client = await TestClient.register(stack.url);
  session = await connect({ url: stack.url }, (await client.tokens(["exec", "chat"])).access_token);
  ticket = { cookie: `CF_Authorization=${await stack.issuer.ticket({ email: OWNER.email, sub: OWNER.email })}` };
  await stack.place("files/videos/a cat.mp4", video);
  await stack.place("files/videos/old/b.mp4", "b");
  // As a mounted bucket remembers an empty folder.
  await stack.place("files/empty/", "");
  await stack.place("files/notes.txt", "äöü".repeat(20_000));
  await stack.place("files/.hidden", "secret");
  await stack.place("files/pixel.png", new Uint8Array(picture));
  await stack.place("files/page.html", "<script>alert(1)</script>");
  await stack.place("head.json", "the memory's own");
});
afterAll(async () => {
  await session.close();
  await stack.close();
});

/** What tools did meanwhile to the container: nothing. */
async function withoutContainer(work: () => Promise<void>): Promise<void> {
  const before = await stack.counts();
  await work();
  expect(await stack.counts()).toEqual(before);
  expect(before).toMatchObject({ starts: 0, running: false });
}

const paths = ({ data }: { data: { entries?: { path: string }[] } }) => data.entries?.map(({ path }) => path);

describe("the folder for large files, while the bot sleeps", () => {
  it("is listed, read in parts and linked to by tools, without the container", async () => {
    await withoutContainer(async () => {
      const top = await session.call("file_list", { path: "/files" });
      expect(paths(top), top.text).toEqual([
        "/files/empty",
        "/files/notes.txt",
        "/files/page.html",
        "/files/pixel.png",
        "/files/videos",
      ]);
      const all = await session.call("file_list", { path: "/files/", recursive: true, hidden: true });
      expect(paths(all)).toEqual(
        expect.arrayContaining(["/files/.hidden", "/files/videos/old", "/files/videos/old/b.mp4"]),
      );
      expect(paths(await session.call("file_list", { path: "/files/videos" }))).toEqual([
        "/files/videos/a cat.mp4",
        "/files/videos/old",
      ]);

      const first = await session.call("file_read", { path: "/files/notes.txt", limit: 1001 });
      expect(first.data).toMatchObject({ size: 120_000, next_offset: 1000, truncated: true });
      expect(first.links).toEqual(["moltbot-file:///files/notes.txt"]);
      const last = await session.call("file_read", { path: "/files/notes.txt", offset: 119_994, limit: 100 });
      expect(last.data).toMatchObject({ content: "äöü", truncated: false });
      const part = await session.call("file_read", {
        path: "/files/videos/../videos//a cat.mp4",
        offset: 200_000,
        limit: 1_000,
        encoding: "base64",
      });
      expect(Buffer.from(part.data.content, "base64").equals(video.subarray(200_000, 201_000))).toBe(true);
      const image = await session.call("file_read", { path: "/files/pixel.png", encoding: "image" });
      expect(image.images[0]?.mimeType).toBe("image/png");
    });
  });

  it("is read by address, with completion", async () => {
    await withoutContainer(async () => {
      const uri = "moltbot-file:///files/videos/a%20cat.mp4?offset=299000&limit=100000";
      const { contents } = await session.client.readResource({ uri });
      const [content] = contents;
      expect(content && "blob" in content && Buffer.from(content.blob, "base64").equals(video.subarray(299_000))).toBe(
        true,
      );
      const [whole] = (await session.client.readResource({ uri: "moltbot-file:///files/pixel.png" })).contents;
      expect(whole).toMatchObject({ mimeType: "image/png" });
      const { completion } = await session.client.complete({
        ref: { type: "ref/resource", uri: "moltbot-file:///{+path}{?offset,limit}" },
        argument: { name: "path", value: "files/vid" },
      });
      expect(completion.values).toEqual(["files/videos/"]);
    });
  });

  it("says what is not there, and is no way to anything beside it", async () => {
    await withoutContainer(async () => {
      const cases: [tool: string, input: Record<string, unknown>, says: RegExp][] = [
        ["file_read", { path: "/files/nothing" }, /no \/files\/nothing/],
        ["file_read", { path: "/files" }, /use file_list/],
        ["file_read", { path: "/files/videos" }, /no \/files\/videos/],
        ["file_read", { path: `/files/${"x".repeat(1100)}` }, /There is no/],
        ["file_list", { path: "/files/notes.txt" }, /use file_read/],
        ["file_list", { path: "/files/nothing" }, /There is no/],
        ["file_list", { path: "/files/videos/a" }, /There is no/],
      ];
      for (const [tool, input, says] of cases) {
        const { isError, text } = await session.call(tool, input);
        expect([input, isError]).toEqual([input, true]);
        expect(text).toMatch(says);
      }
      const far = await session.call("file_read", { path: "/files/notes.txt", offset: 500_000 });
      expect(far.data).toMatchObject({ size: 120_000, content: "" });
    });
  });
});

const ask = async (path: string, headers: Record<string, string> = {}) =>
  await fetch(`${stack.url}/admin/api/files${path}`, { headers: { ...ticket, ...headers } });
const pageSchema = z.object({
  files: z.array(z.object({ path: z.string(), size: z.number(), modified: z.iso.datetime() })),
  cursor: z.string().optional(),
});

describe("the folder for large files, for people", () => {
  it("is listed in pages", async () => {
    for (let n = 0; n < 1005; n += 1) await stack.place(`files/many/${String(n).padStart(4, "0")}`, "x");
    const first = pageSchema.parse(await (await ask("?prefix=many/")).json());
    expect(first.files).toHaveLength(1000);
    const rest = pageSchema.parse(
      await (await ask(`?prefix=many/&cursor=${encodeURIComponent(first.cursor ?? "")}`)).json(),
    );
    expect(rest.files.map(({ path }) => path)).toEqual(
      ["1000", "1001", "1002", "1003", "1004"].map((name) => `many/${name}`),
    );
    expect(rest.cursor).toBeUndefined();
    const { files } = pageSchema.parse(await (await ask("?prefix=videos")).json());
    expect(files.map(({ path, size }) => [path, size])).toEqual([
      ["videos/a cat.mp4", video.byteLength],
      ["videos/old/b.mp4", 1],
    ]);
    expect(JSON.stringify(pageSchema.parse(await (await ask("?prefix=../")).json()))).toBe('{"files":[]}');
  });

  it("gives out a file whole and in ranges", async () => {
    const whole = await ask("/videos/a%20cat.mp4");
    expect(whole.status).toBe(200);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      "content-type": "video/mp4",
      "content-length": "300000",
      "accept-ranges": "bytes",
      "content-disposition": "inline; filename*=UTF-8''a%20cat.mp4",
    });
    expect(Buffer.from(await whole.arrayBuffer()).equals(video)).toBe(true);
    const etag = whole.headers.get("etag") ?? "";
    const cases: [range: string, status: number, contentRange: string | null, from: number, to: number][] = [
      ["bytes=0-99", 206, "bytes 0-99/300000", 0, 100],
      ["bytes=299000-", 206, "bytes 299000-299999/300000", 299_000, 300_000],
      ["bytes=-10", 206, "bytes 299990-299999/300000", 299_990, 300_000],
      ["bytes=299999-400000", 206, "bytes 299999-299999/300000", 299_999, 300_000],
      ["bytes=-400000", 206, "bytes 0-299999/300000", 0, 300_000],
      ["bytes=300000-", 416, "bytes */300000", 0, 0],
      ["bytes=-0", 416, "bytes */300000", 0, 0],
      ["bytes=9-1", 200, null, 0, 300_000],
      ["bytes=0-1,5-6", 200, null, 0, 300_000],
      ["lines=1-2", 200, null, 0, 300_000],
      ["bytes=-", 200, null, 0, 300_000],
    ];
    for (const [range, status, contentRange, from, to] of cases) {
      const answer = await ask("/videos/a%20cat.mp4", { range });
      expect([range, answer.status, answer.headers.get("content-range")]).toEqual([range, status, contentRange]);
      expect(Buffer.from(await answer.arrayBuffer()).equals(video.subarray(from, to))).toBe(true);
    }
    expect((await ask("/videos/a%20cat.mp4", { range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await ask("/videos/a%20cat.mp4", { range: "bytes=0-1", "if-range": '"older"' })).status).toBe(200);
  });

  it("has a browser run nothing of what the bot made", async () => {
    const page = await ask("/page.html");
    expect(page.headers.get("content-type")).toBe("application/octet-stream");
    expect(page.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(page.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("cache-control")).toBe("no-store");
    await page.body?.cancel();
  });

  it("leads nowhere beside it, and is shut for strangers", async () => {
    for (const [path, status] of [
      ["/..%2fhead.json", 400],
      ["/videos/..%2f..%2fhead.json", 400],
      ["/%2e%2e/head.json", 404],
      ["//head.json", 400],
      ["/videos//x", 400],
      ["/%00", 400],
      ["/%ff", 400],
      ["/", 400],
      ["/videos/", 400],
      ["/nothing", 404],
      ["?prefix=a&prefix=b", 400],
      ["?folder=a", 400],
    ] as const) {
      const answer = await answerOf(await ask(path));
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.text).not.toContain("the memory's own");
      expectDiscreet(answer);
    }
    for (const path of ["", "/notes.txt"]) {
      expect((await fetch(`${stack.url}/admin/api/files${path}`)).status).toBe(401);
    }
  });
});
