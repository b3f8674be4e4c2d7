import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { step } from "./progress.ts";

const ROOT = join(import.meta.dirname, "..");
const SOURCE = join(ROOT, "src", "admin", "ui");
const DIST = join(ROOT, "dist");
/** What the assets binding serves. */
const SITE = join(DIST, "site");
const STAMP = join(DIST, "page.stamp");

/** Builds the admin page where what it is made of has changed since the last time. */
export async function buildPage(): Promise<void> {
  const wanted = fingerprint();
  if (existsSync(SITE) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  await step("Building the admin page", async () => {
    await mkdir(DIST, { recursive: true });
    const fresh = await mkdtemp(join(DIST, "building-"));
    try {
      // Here, so that whoever has nothing to build does not load it.
      const { build } = await import("vite");
      await inProduction(() =>
        build({ configFile: join(SOURCE, "vite.config.ts"), build: { outDir: join(fresh, "admin") } }),
      );
      await rm(SITE, { recursive: true, force: true });
      // Whoever else builds it at the same time has the same files: one of the two stays.
      await rename(fresh, SITE).catch((error: unknown) => {
        if (!existsSync(join(SITE, "admin"))) throw error;
      });
      writeFileSync(STAMP, wanted);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

/** Built by a test, it would be React's build for developers, which does some things twice, and stay for everybody else. */
async function inProduction(work: () => Promise<unknown>): Promise<void> {
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = "production";
  try {
    await work();
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

/** Over its source and the packages' versions. */
function fingerprint(): string {
  const hash = createHash("sha256").update(readFileSync(join(ROOT, "package-lock.json")));
  const files = readdirSync(SOURCE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
    hash.update(path.slice(SOURCE.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}
