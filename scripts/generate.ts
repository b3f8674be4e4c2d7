import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exit } from "node:process";
import { modelsPage } from "./models-page.ts";
import { settingsPage, variablesExample } from "./settings-page.ts";
import { SNAPSHOTS, toolsPage } from "./tools-page.ts";

const ROOT = join(import.meta.dirname, "..");

/** Every file that is made from code, so that no list is kept twice. */
const FILES: Record<string, () => string> = {
  "docs/tools.md": toolsPage,
  "docs/settings.md": settingsPage,
  "docs/models.md": modelsPage,
  ".dev.vars.example": variablesExample,
  ...SNAPSHOTS,
};

const checkOnly = process.argv.includes("--check");
const stale: string[] = [];
for (const [name, make] of Object.entries(FILES)) {
  const path = join(ROOT, name);
  const wanted = make();
  if (read(path) === wanted) continue;
  stale.push(name);
  if (!checkOnly) writeFileSync(path, wanted);
}
if (checkOnly && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(", ")}. Run: npm run generate`);
  exit(1);
}
console.log(stale.length === 0 ? "Generated files are up to date." : `Wrote ${stale.join(", ")}.`);

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
