import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryStack, type MemoryStack } from "./stack.ts";

const READER = "a".repeat(24);

let stack: MemoryStack;
beforeAll(async () => {
  stack = await memoryStack();
});
afterAll(() => stack.close());

async function search(query: string, more: Record<string, unknown> = {}): Promise<{ path: string; snippet: string }[]> {
  const request = { reader: READER, query, limit: 10, kinds: ["note", "conversation"], since: "", ...more };
  return (await stack.call("search", request)).hits;
}

describe("searching the memory", () => {
  it("finds what was committed last, and no longer what was deleted", async () => {
    const disk = stack.disk();
    mkdirSync(join(disk.workspace, "memory"));
    mkdirSync(join(disk.workspace, ".git"));
    writeFileSync(join(disk.workspace, "memory/cats.md"), "# Cats\n\nThe grey one is Tom.\n\n# Dogs\n\nNone yet.\n");
    writeFileSync(join(disk.workspace, "memory/tea.md"), "Thé vert, deux minutes.\n");
    writeFileSync(join(disk.workspace, ".git/hook"), "Tom is in no note\n");
    writeFileSync(join(disk.workspace, "picture.bin"), Buffer.from([0, 1, 2, 84, 111, 109]));
    await disk.keepOnce();
    expect(await search("grey Tom")).toMatchObject([
      { path: "workspace/memory/cats.md", line: 1, snippet: expect.stringContaining("**grey** one is **Tom**") },
    ]);
    expect(await search("the")).toHaveLength(2);
    expect(await search('"the vert"')).toMatchObject([{ path: "workspace/memory/tea.md" }]);
    // Nothing has both, so either will do.
    expect((await search("grey minutes")).map(({ path }) => path).toSorted()).toEqual([
      "workspace/memory/cats.md",
      "workspace/memory/tea.md",
    ]);
    expect(await search("dogs", { since: "2999-01-01T00:00:00.000Z" })).toEqual([]);
    expect(await search("dogs", { kinds: ["conversation"] })).toEqual([]);

    rmSync(join(disk.workspace, "memory/tea.md"));
    writeFileSync(join(disk.workspace, "memory/cats.md"), "There are no cats any more.\n");
    await disk.keepOnce();
    expect(await search("vert")).toEqual([]);
    expect(await search("grey")).toEqual([]);
    expect(await search("more cats")).toHaveLength(1);
  });

  it("takes nothing a person types for an operator", async () => {
    const queries = [
      '"',
      '"cats" AND',
      "cats OR (",
      "path:x",
      "NEAR(cats more)",
      "* ^ -",
      "'; DROP TABLE files --",
      "🐈",
      "a NOT b",
    ];
    for (const query of queries) await search(query);
    expect(await search('cats AND "more')).toEqual([expect.objectContaining({ path: "workspace/memory/cats.md" })]);
    expect(await search("* ^ -")).toEqual([]);
  });

  it("shows a conversation to nobody but the person who had it", async () => {
    const disk = stack.disk();
    await disk.restore();
    const folder = join(disk.home, "conversations/main");
    mkdirSync(folder, { recursive: true });
    const said = "# Conversation\n\n## 2026-11-23T12:00:00.000Z user\n\nThe secret word is xylophone.\n";
    writeFileSync(join(folder, `agent_main_mcp_${READER}_main-00000000.md`), said);
    writeFileSync(join(folder, `agent_main_mcp_${"b".repeat(24)}_main-11111111.md`), said);
    writeFileSync(join(folder, "agent_main_telegram_direct_1-22222222.md"), said);
    await disk.keepOnce();
    const paths = (await search("xylophone")).map(({ path }) => path);
    expect(paths.toSorted()).toEqual([
      `conversations/main/agent_main_mcp_${READER}_main-00000000.md`,
      "conversations/main/agent_main_telegram_direct_1-22222222.md",
    ]);
    expect(await search("xylophone")).toMatchObject([{ at: "2026-11-23T12:00:00.000Z" }, {}]);
    const foreign = `conversations/main/agent_main_mcp_${"b".repeat(24)}_main-11111111.md`;
    const read = stack.call("read", { reader: READER, path: foreign, offset: 0, limit: 100 });
    await expect(read).rejects.toThrow("not_found");
    const { files } = await stack.call("list", { reader: READER, prefix: "conversations/", after: "", limit: 10 });
    expect(files.map(({ path }: { path: string }) => path)).toEqual(paths.toSorted());
  });

  it("finds the rare word among thousands, and hides nothing behind words that are everywhere", async () => {
    const disk = stack.disk();
    await disk.restore();
    for (let file = 0; file < 3; file++) {
      const lines = Array.from({ length: 2_000 }, (_, n) => `# every day ${file}-${n}\n`).join("");
      writeFileSync(join(disk.workspace, `days-${file}.md`), lines);
    }
    writeFileSync(join(disk.workspace, "rare.md"), "every zebra\n");
    const folder = join(disk.home, "conversations/main");
    mkdirSync(folder, { recursive: true });
    const mine = `agent_main_mcp_${READER}_days-33333333.md`;
    const said = "# Conversation\n\n## 2026-11-23T12:00:00.000Z user\n\nwe speak every day\n";
    writeFileSync(join(folder, mine), said);
    writeFileSync(join(folder, `agent_main_mcp_${"b".repeat(24)}_days-44444444.md`), said);
    await disk.keepOnce();
    expect(await search("every zebra")).toMatchObject([{ path: "workspace/rare.md", snippet: "**every** **zebra**" }]);
    expect(await search("every")).toHaveLength(10);
    expect(await search("every day")).toHaveLength(10);
    // Nothing has both: the telling word first, and others to the limit.
    const either = await search("zebra day nowhere");
    expect(either[0]).toMatchObject({ path: "workspace/rare.md" });
    expect(either).toHaveLength(10);
    for (const query of ["every day", "every", "day nowhere"]) {
      const conversations = await search(query, { kinds: ["conversation"] });
      expect(
        conversations.map(({ path }) => path),
        query,
      ).toEqual([`conversations/main/${mine}`]);
    }
  });

  it("knows everything again when its object was lost", async () => {
    const before = await search("cats");
    await stack.tell("loseEverything");
    expect(await search("cats")).toEqual(before);
    await stack.call("rebuild");
    expect(await search("cats")).toEqual(before);
  });
});
