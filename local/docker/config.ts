import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { experimental_readRawConfig } from "wrangler";
import { z } from "zod";
import { baseImage } from "./engine.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What of the deployment's configuration is another thing here. */
const deploymentSchema = z.looseObject({
  containers: z.array(z.looseObject({ image: z.string() })),
  assets: z.looseObject({}),
});

/** The Worker's name, after which workerd names the containers: two that run at once have two. */
export function dockerName(directory: string): string {
  return `moltbot-docker-${createHash("sha256").update(directory).digest("hex").slice(0, 8)}`;
}

/**
 * Writes the deployment's own wrangler.jsonc into `directory` as it is run on this machine, and answers with its path: its
 * containers, objects and bindings with this machine's entry before them, and without Workers AI, which is nowhere but
 * on Cloudflare.
 */
export function writeDockerConfig(directory: string, env: NodeJS.ProcessEnv): string {
  const { rawConfig } = experimental_readRawConfig({ config: join(ROOT, "wrangler.jsonc") });
  const { $schema: _schema, ai: _ai, build: _build, ...deployment } = deploymentSchema.parse(rawConfig);
  const config = {
    ...deployment,
    name: dockerName(directory),
    main: join(ROOT, "local/docker/worker.ts"),
    assets: { ...deployment.assets, directory: join(ROOT, "dist/site") },
    containers: deployment.containers.map((container) => ({
      ...container,
      image: join(ROOT, container.image),
      image_vars: { BASE: baseImage(env) },
    })),
  };
  const path = join(directory, "wrangler.docker.json");
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}
