import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { dockerName } from "../../local/docker/config.ts";
import { baseImage, engineProblem, imageProblem as missingImage, sidecarImage } from "../../local/docker/engine.ts";
import { startModelStandIn } from "../../local/model/standin.ts";
import { startStack } from "../../local/stack.ts";

/** Stands for every secret that the Worker has and the container must not. */
export const CANARY = "canary-of-a-key-that-stays-in-the-worker";

interface Bot {
  url: string;
  password: string;
  /** What the names of its containers begin with. */
  containers: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    /** Why the image, or the whole bot in Docker, cannot be tried here; and else the bot. */
    docker: { imageProblem?: string; botProblem?: string; bot?: Bot };
  }
}

/** One Moltbot on the deployment's own image, by `ctx.container`; none, and the reason, where Docker does not run. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const imageProblem = engineProblem() ?? missingImage(baseImage(process.env));
  const botProblem = imageProblem ?? missingImage(sidecarImage(process.env));
  if (botProblem !== undefined) {
    const what = imageProblem === undefined ? "What needs containers of wrangler's" : "All of it";
    process.stderr.write(`\nThe Docker suite: ${what} is skipped. ${botProblem}\n`);
    project.provide("docker", { botProblem, ...(imageProblem === undefined ? {} : { imageProblem }) });
    return undefined;
  }
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-docker-"));
  const standIn = await startModelStandIn({ log: () => undefined });
  const stack = await startStack({
    stateDir,
    docker: true,
    variables: {
      MODEL: "stand-in",
      ANTHROPIC_BASE_URL: standIn.url,
      ANTHROPIC_API_KEY: CANARY,
      EGRESS_ALLOW: "on-the-list.example",
    },
  });
  const close = async () => {
    await stack.close();
    await standIn.close();
    await rm(stateDir, { recursive: true, force: true });
  };
  await stack.warm().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const password = readFileSync(stack.passwordFile, "utf8").trim();
  project.provide("docker", { bot: { url: stack.url, password, containers: `workerd-${dockerName(stateDir)}-` } });
  return close;
}
