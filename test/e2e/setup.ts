import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { readFileSync } from "node:fs";
import { startStack } from "../../local/stack.ts";

declare module "vitest" {
  export interface ProvidedContext {
    bot: { url: string; password: string };
    /** Somebody else who may sign in to the same bot. */
    friend: { url: string; email: string; password: string };
  }
}

/** One whole Moltbot for all files of this project, in a folder of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-e2e-"));
  const stack = await startStack({
    stateDir,
    browserHosts: ["localhost"],
    variables: { ALLOWED_EMAILS: "owner@moltbot.local,friend@moltbot.local" },
  });
  await stack.warm();
  project.provide("bot", { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() });
  for (const { email, passwordFile } of stack.people.slice(1)) {
    project.provide("friend", { url: stack.url, email, password: readFileSync(passwordFile, "utf8").trim() });
  }
  return async () => {
    await stack.close();
    await rm(stateDir, { recursive: true, force: true });
  };
}
