import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { z } from "zod";

export interface Chromium {
  /** Where it is, links resolved. */
  path: string;
  /** How the person can tell which one it is. */
  from: "$CHROME_PATH" | "this machine" | "npm";
  flags: readonly string[];
}

const ROOT = join(import.meta.dirname, "..", "..");
const NAMES = ["chromium", "google-chrome-stable", "google-chrome", "chromium-browser"];

/** What the package's build needs: it has no GPU process and no zygote. */
const PACKAGED_FLAGS = [
  "--no-zygote",
  "--in-process-gpu",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];

/** The browsers to try, best first: the person's choice, the system's, the one that npm brought. */
export async function* chromiums(env: NodeJS.ProcessEnv): AsyncGenerator<Chromium> {
  if (env.CHROME_PATH) {
    if (!existsSync(env.CHROME_PATH)) throw new Error(`CHROME_PATH names no file: ${env.CHROME_PATH}`);
    yield { path: await realpath(env.CHROME_PATH), from: "$CHROME_PATH", flags: [] };
    // Another one than the person chose would be a surprise.
    return;
  }
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder.startsWith("/usr/"));
  const installed = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).filter(existsSync);
  for (const path of installed) yield { path: await realpath(path), from: "this machine", flags: [] };
  yield { path: await unpacked(), from: "npm", flags: PACKAGED_FLAGS };
}

/** The browser of the npm package, unpacked once for each version of it. */
export async function unpacked(): Promise<string> {
  const folder = join(ROOT, "node_modules", ".cache", `chromium-${packageVersion()}`);
  const path = join(folder, "chromium");
  if (existsSync(path)) return path;
  await mkdir(dirname(folder), { recursive: true });
  const fresh = await mkdtemp(`${folder}-`);
  try {
    await run(process.execPath, [join(import.meta.dirname, "unpack.ts")], { ...process.env, TMPDIR: fresh });
    // Whoever else unpacks it at the same time has the same files: the first one stays.
    await rename(fresh, folder).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return path;
}

function packageVersion(): string {
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const { version } = z.object({ version: z.string() }).parse(createRequire(entry)("../package.json"));
  return version;
}

async function run(command: string, argv: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(command, argv, { cwd: ROOT, env, stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`The browser of the npm package cannot be unpacked: ${complaint.trim()}`);
}
