import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { answerOf } from "../auth/client.ts";
import { expectDiscreet } from "../auth/discreet.ts";
import { type AuthStack, authStack, OWNER, SERVICE_TOKEN, STRANGER } from "../auth/stack.ts";
import { archiveOf } from "../memory/archives.ts";

const generationSchema = z.object({
  id: z.string().regex(/^\d{8}$/),
  at: z.iso.datetime(),
  reason: z.string(),
  files: z.number(),
  bytes: z.number(),
});
const listSchema = z.object({
  generations: z.array(generationSchema),
  memory: z.object({
    head: generationSchema.nullable(),
    generations: z.number(),
    nextPrune: z.iso.datetime().nullable(),
  }),
});

/** What a first import brings; the bytes are more than any buffer on the way. */
const FIRST = { "workspace/MEMORY.md": "My cat is called Tom.\n", "workspace/large.bin": randomBytes(3_000_000) };
const PATH = "/admin/api/generations";

let stack: AuthStack;
let service: Record<string, string>;
let person: Record<string, string>;
beforeAll(async () => {
  stack = await authStack();
  service = { "cf-access-jwt-assertion": await stack.issuer.ticket({ common_name: SERVICE_TOKEN, sub: "" }) };
  const ticket = await stack.issuer.ticket({ email: OWNER.email, sub: OWNER.email });
  person = { cookie: `CF_Authorization=${ticket}`, origin: stack.url };
});
afterAll(() => stack.close());

const ask = async (path: string, init: RequestInit = {}) => await answerOf(await fetch(stack.url + path, init));

async function list() {
  const { status, text } = await ask(PATH, { headers: person });
  expect(status, text).toBe(200);
  return listSchema.parse(JSON.parse(text));
}

const take = (body: Uint8Array<ArrayBuffer> | string, query = "", headers: Record<string, string> = person) =>
  ask(`${PATH}/import${query}`, { method: "POST", headers: { "content-type": "application/gzip", ...headers }, body });

const restore = (body: unknown, headers: Record<string, string> = person) =>
  ask(`${PATH}/restore`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

async function exported(query = ""): Promise<Record<string, Buffer>> {
  const response = await fetch(`${stack.url}${PATH}/export${query}`, { headers: person });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="moltbot-\d{8}\.tar\.gz"$/);
  expect(response.headers.get("content-type")).toBe("application/gzip");
  expect(response.headers.get("cache-control")).toBe("no-store");
  const entries = await unpackTar(gunzipSync(new Uint8Array(await response.arrayBuffer())));
  return Object.fromEntries(entries.map(({ header, data }) => [header.name, Buffer.from(data ?? [])]));
}

describe("the generations' routes", () => {
  it("take an archive in, list it, give it out again, and put it back; no container starts", async () => {
    expect(await list()).toMatchObject({ generations: [], memory: { head: null, generations: 0 } });
    expect((await ask(`${PATH}/export`, { headers: person })).status).toBe(404);

    const first = await take(await archiveOf(FIRST));
    expect(first.status, first.text).toBe(200);
    const { id } = generationSchema.parse(JSON.parse(first.text));
    expect((await list()).memory.head).toMatchObject({ id, reason: "import", files: 2 });
    const files = await exported();
    for (const [path, content] of Object.entries(FIRST)) expect(files[path]?.equals(Buffer.from(content))).toBe(true);

    const refused = await take(await archiveOf({ "workspace/MEMORY.md": "Other.\n" }));
    expect(refused.status).toBe(409);
    expect(JSON.parse(refused.text)).toMatchObject({
      error: { code: "conflict", hint: expect.stringMatching("replace") },
    });
    expectDiscreet(refused);
    expect((await list()).memory.head?.id).toBe(id);

    const second = await take(await archiveOf({ "workspace/MEMORY.md": "Other.\n" }), "?replace=true");
    expect(second.status, second.text).toBe(200);
    expect(String((await exported())["workspace/MEMORY.md"])).toBe("Other.\n");
    expect(String((await exported(`?generation=${id}`))["workspace/MEMORY.md"])).toBe(FIRST["workspace/MEMORY.md"]);

    const back = await restore({ generation: id });
    expect(back.status, back.text).toBe(200);
    const restored = generationSchema.parse(JSON.parse(back.text));
    expect(restored.reason).toBe("restore");
    const { generations, memory } = await list();
    expect(generations.map((each) => each.id)).toContain(generationSchema.parse(JSON.parse(second.text)).id);
    expect(generations[0]?.id).toBe(restored.id);
    expect(memory.head?.id).toBe(restored.id);
    expect(String((await exported())["workspace/MEMORY.md"])).toBe(FIRST["workspace/MEMORY.md"]);
    expect(await stack.counts()).toMatchObject({ starts: 0, running: false });
  });

  it("serve a program with a service token, which sends no origin", async () => {
    const answer = await take(await archiveOf(FIRST), "?replace=true", service);
    expect(answer.status, answer.text).toBe(200);
  });

  it("refuse an archive that is no good, of whatever size, with the reason, and change nothing", async () => {
    await take(await archiveOf(FIRST), "?replace=true");
    const { memory } = await list();
    const cases: [body: Uint8Array<ArrayBuffer> | string, says: RegExp][] = [
      ["hello", /no tar\.gz/],
      [new Uint8Array(randomBytes(20_000_000)), /no tar\.gz/],
      [(await archiveOf(FIRST)).slice(0, -1000), /cut off/],
      ["", /has to be an archive|no tar\.gz/],
    ];
    for (const [body, says] of cases) {
      const refused = await take(body, "?replace=true");
      expect(refused.status, refused.text).toBe(400);
      expect(refused.text).toMatch(says);
      expectDiscreet(refused);
    }
    expect((await list()).memory.head?.id).toBe(memory.head?.id);
  });

  it("refuse a large upload that nothing confirms, and the uploader hears why", async () => {
    await take(await archiveOf(FIRST), "?replace=true");
    const refused = await take(await archiveOf({ "workspace/large.bin": randomBytes(20_000_000) }));
    expect(refused.status).toBe(409);
  });

  it("refuse what is not theirs to answer", async () => {
    const archive = await archiveOf(FIRST);
    const cases: [what: string, answer: ReturnType<typeof ask>, status: number][] = [
      ["another type", take(archive, "?replace=true", { ...person, "content-type": "text/plain" }), 400],
      ["another word", take(archive, "?replace=yes"), 400],
      ["a word twice", take(archive, "?replace=true&replace=true"), 400],
      ["an unknown word", take(archive, "?replace=true&force=1"), 400],
      ["no generation", restore({}), 400],
      ["a generation of another form", restore({ generation: "../1" }), 400],
      ["a command in a generation", restore({ generation: "00000001; rm -rf /" }), 400],
      ["more than a generation", restore({ generation: "00000001", force: true }), 400],
      ["an unknown generation", restore({ generation: "99999999" }), 404],
      ["an unknown generation's export", ask(`${PATH}/export?generation=99999999`, { headers: person }), 404],
      ["an export of another form", ask(`${PATH}/export?generation=head`, { headers: person }), 400],
      [
        "another site's restore",
        restore({ generation: "00000001" }, { ...person, origin: "https://evil.example" }),
        403,
      ],
      ["another site's import", take(archive, "?replace=true", { ...person, origin: "https://evil.example" }), 403],
      ["an import by address alone", ask(`${PATH}/import?replace=true`, { headers: person }), 404],
      ["an export by another method", ask(`${PATH}/export`, { method: "POST", headers: person }), 404],
    ];
    for (const [what, asked, status] of cases) {
      const answer = await asked;
      expect([what, answer.status]).toEqual([what, status]);
      expectDiscreet(answer);
    }
  });

  it("are shut for strangers, who cause nothing", async () => {
    const stranger = {
      cookie: `CF_Authorization=${await stack.issuer.ticket({ email: STRANGER.email })}`,
      origin: stack.url,
    };
    const archive = await archiveOf(FIRST);
    for (const [headers, status] of [
      [stranger, 403],
      [{ origin: stack.url }, 401],
    ] as const) {
      expect((await ask(PATH, { headers })).status).toBe(status);
      expect((await ask(`${PATH}/export`, { headers })).status).toBe(status);
      expect((await restore({ generation: "00000001" }, headers)).status).toBe(status);
      expect((await take(archive, "?replace=true", headers)).status).toBe(status);
    }
    expect(await stack.counts()).toMatchObject({ starts: 0, renewals: expect.any(Number) });
  });
});
