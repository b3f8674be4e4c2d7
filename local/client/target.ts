import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../src/core/failure.ts";

/** The server to talk to, and how to sign in there without a person. */
export interface Target {
  url: string;
  password?: string;
}

const runSchema = z.object({ url: z.url(), pid: z.int(), passwordFile: z.string() });

/** Where the Moltbot that `npm start` runs keeps its state. */
export const STATE_FOLDER = join(import.meta.dirname, "..", "..", ".moltbot");

/** The address given, else the Moltbot that `npm start` runs. Its password is used for its own address only. */
export function findTarget(url: string | undefined, stateFolder: string): Target {
  const run = readRun(join(stateFolder, "run.json"));
  if (url !== undefined) {
    if (!URL.canParse(url))
      throw new Failure("invalid_input", `"${url}" is no address.`, {
        hint: "Give one like https://moltbot.example.workers.dev.",
      });
    const base = url.replace(/\/mcp\/?$/, "");
    return {
      url: base,
      ...(run && new URL(run.url).origin === new URL(base).origin ? passwordOf(run.passwordFile) : {}),
    };
  }
  if (run === undefined) {
    throw new Failure("unavailable", "No Moltbot is running in this folder.", {
      hint: "Start it in another terminal with: npm start (or name one with --url).",
    });
  }
  return { url: run.url, ...passwordOf(run.passwordFile) };
}

function readRun(path: string): z.output<typeof runSchema> | undefined {
  if (!existsSync(path)) return undefined;
  const run = runSchema.safeParse(jsonOf(readFileSync(path, "utf8")));
  return run.success && isAlive(run.data.pid) ? run.data : undefined;
}

function passwordOf(file: string): { password?: string } {
  return existsSync(file) ? { password: readFileSync(file, "utf8").trim() } : {};
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of somebody else is alive too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
