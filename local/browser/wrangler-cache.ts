import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Without it, wrangler deletes the folder after a start that failed, and downloads a browser. */
const MARKER = ".miniflare-install-complete";

/**
 * Puts `program` where wrangler looks for the Chrome it would download, below a cache folder of our own, and makes
 * wrangler look there from now on.
 */
export async function seedWranglerCache(cacheHome: string, program: string): Promise<void> {
  const platform = process.arch === "arm64" ? "linux_arm" : "linux";
  const install = join(cacheHome, ".wrangler", "chrome", `${platform}-${await chromeVersion()}`);
  const path = join(install, "chrome-linux64", "chrome");
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, program);
  await chmod(path, 0o700);
  await writeFile(join(install, MARKER), "");
  process.env.XDG_CACHE_HOME = cacheHome;
}

/** The version that this wrangler asks for; it tells nobody, so it is read from its code. */
async function chromeVersion(): Promise<string> {
  const fromWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
  const code = await readFile(fromWrangler.resolve("miniflare"), "utf8");
  const version = /BROWSER_VERSION = "([\d.]+)"/.exec(code)?.[1];
  if (version === undefined) throw new Error("This version of wrangler does not say which Chrome it starts.");
  return version;
}
