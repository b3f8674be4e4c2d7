import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { baseImage, engineProblem, imageProblem, sidecarImage } from "../../local/docker/engine.ts";
import { startModelStandIn } from "../../local/model/standin.ts";
import { startStack } from "../../local/stack.ts";

/** Stands for every secret that the Worker has and the container must not. */
export const CANARY = "canary-of-a-key-that-stays-in-the-worker";

declare module "vitest" {
  export interface ProvidedContext {
    /** The bot in Docker, or why there is none. */
    docker: { problem: string } | { url: string; password: string };
  }
}

/** One Moltbot on the deployment's own image, by `ctx.container`; none, and the reason, where Docker does not run. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const problem = engineProblem() ?? imageProblem(baseImage(process.env)) ?? imageProblem(sidecarImage(process.env));
  if (problem !== undefined) {
    process.stderr.write(`\nThe Docker suite is skipped. ${problem}\n`);
    project.provide("docker", { problem });
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
  project.provide("docker", { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() });
  return async () => {
    await stack.close();
    await standIn.close();
    await rm(stateDir, { recursive: true, force: true });
  };
}
