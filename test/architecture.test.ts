import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** What each folder of src/ may import of the others; `types` only as types. The picture in ARCHITECTURE.md shows the same. */
const ALLOWED: Record<string, { values: string[]; types?: string[] }> = {
  core: { values: [] },
  config: { values: ["core"] },
  sandbox: { values: ["core"] },
  memory: { values: ["core"] },
  // What the keeper sends is checked by the memory's own format before it gets there.
  bridge: { values: ["core", "memory", "browser"], types: ["config", "usage"] },
  usage: { values: ["core"] },
  // It stands before the sandbox's files, in the words of the tools that read them.
  files: { values: ["core"], types: ["sandbox", "tools"] },
  browser: { values: ["core"] },
  gateway: { values: ["core", "sandbox"] },
  chat: { values: ["core", "gateway"] },
  auth: { values: ["core", "config"] },
  journal: { values: ["core"] },
  control: { values: ["core", "auth", "sandbox"] },
  // What it shows it knows as types; a filter of the journal is checked by the journal's own words.
  admin: {
    values: ["core", "auth", "files", "journal", "memory", "sandbox"],
    types: ["browser", "chat", "gateway", "usage"],
  },
  // It runs in a browser and knows the Worker by its routes.
  ui: { values: [] },
  // A tool calls plain functions of the two folders it fronts; their objects it knows as types.
  tools: { values: ["core", "chat", "sandbox", "memory", "browser"], types: ["gateway", "usage"] },
  // Their values are as tools are: words for a model, and what is read by address.
  prompts: { values: ["core", "chat", "tools"] },
  resources: { values: ["core", "chat", "sandbox", "tools"], types: ["prompts"] },
  mcp: { values: ["core", "tools", "prompts", "resources"], types: ["auth"] },
};

/** One home for each vendor: when its package changes, one folder does. */
const VENDORS: Record<string, string[]> = {
  "@modelcontextprotocol/": ["mcp"],
  agents: ["mcp"],
  jose: ["auth"],
  "modern-tar": ["memory"],
  "@cloudflare/workers-oauth-provider": ["auth", "app.ts"],
  "@cloudflare/sandbox": ["sandbox"],
  capnweb: ["sandbox"],
  "@cloudflare/puppeteer": ["browser"],
  react: ["ui"],
  "react-dom": ["ui"],
  "@base-ui/react": ["ui"],
  "@tanstack/react-query": ["ui"],
  "@xterm/": ["ui"],
};

/** May import everything, and nothing in src/ but one another imports them. */
const COMPOSITION = new Set(["index.ts", "app.ts", "services.ts", "objects.ts"]);

interface Import {
  file: string;
  from: string;
  target: string;
  typeOnly: boolean;
}

const imports = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .flatMap((name) => importsOf(name));

describe("import boundaries", () => {
  it("sees the code", () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it("keeps every folder to what it may import", () => {
    const wrong = imports.filter(({ from, target, typeOnly }) => {
      if (COMPOSITION.has(from) || !target.startsWith("src/")) return false;
      const to = folderOf(target.slice("src/".length));
      if (to === from) return false;
      const allowed = ALLOWED[from];
      return !(allowed?.values.includes(to) || (typeOnly && allowed?.types?.includes(to)));
    });
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  it("gives each vendor one home", () => {
    const wrong = imports.filter(({ from, target }) => {
      const vendor = Object.keys(VENDORS).find(
        (name) => target === name || target.startsWith(name.endsWith("/") ? name : `${name}/`),
      );
      return vendor !== undefined && !VENDORS[vendor]?.includes(from);
    });
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  it("ships nothing of the local default, the tests or the container", () => {
    const wrong = imports.filter(({ target }) => /^(local|test|container|bench|scripts)\//.test(target));
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });
});

function importsOf(name: string): Import[] {
  const path = join(ROOT, "src", name);
  const found: Import[] = [];
  const statement = /^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm;
  for (const [text, type, named, bare] of readFileSync(path, "utf8").matchAll(statement)) {
    const specifier = named ?? bare ?? "";
    const target = specifier.startsWith(".") ? relative(ROOT, join(dirname(path), specifier)) : specifier;
    // `import { type A, type B }` is as good as `import type`.
    const names =
      /\{([^}]*)\}/
        .exec(text)?.[1]
        ?.split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "") ?? [];
    const typeOnly = type !== undefined || (names.length > 0 && names.every((part) => part.startsWith("type ")));
    found.push({ file: `src/${name}`, from: folderOf(name), target, typeOnly });
  }
  return found;
}

function folderOf(name: string): string {
  if (name.startsWith("admin/ui/")) return "ui";
  return name.split("/")[0] ?? name;
}
