import { z } from "zod";
import { readConfig } from "../src/config/config.ts";
import worker from "../src/index.ts";
import { MoltbotCdp as ProductionCdp, MoltbotSandbox as ProductionSandbox } from "../src/objects.ts";
import { servicesOf } from "../src/services.ts";
import type { Screened } from "../src/bridge/cdp/screen.ts";
import { playAccess } from "./access.ts";
import { withoutFiles } from "./browser/without-files.ts";
import { FILES_DOOR, handleFilesDoor } from "./folder/door.ts";
import { standInContainer } from "./container/standin.ts";

export * from "../src/objects.ts";
export { ContainerProxy } from "../src/sandbox/container-proxy.ts";
export { MoltbotChat, MoltbotJournal, MoltbotUsage } from "../src/objects.ts";

/** What the launcher passes beyond the Worker's own settings. */
const hostSchema = z.object({ CONTAINER_HOST_URL: z.url(), CONTAINER_HOST_TOKEN: z.string().min(16) });

/** The production object on a jail of this machine: the SDK finds a container where it looks for one. */
export class MoltbotSandbox extends ProductionSandbox {
  constructor(ctx: DurableObjectState<{}>, env: Cloudflare.Env) {
    const host = hostSchema.parse(env);
    const container = standInContainer({
      hostUrl: host.CONTAINER_HOST_URL,
      token: host.CONTAINER_HOST_TOKEN,
      id: ctx.id.toString(),
    });
    // Both before super: the SDK's constructor reads the container, and asks whether it runs.
    Object.defineProperty(ctx, "container", { value: container });
    void ctx.blockConcurrencyWhile(() => container.attach());
    super(ctx, env);
  }
}

/** The production object; but the browser is on the user's machine, with the user's files. */
export class MoltbotCdp extends ProductionCdp {
  protected override screen(message: string): Screened {
    return withoutFiles(message);
  }
}

/** The launcher's way to start the gateway before anybody asks; it shows the token that only the launcher has. */
const WARM_PATH = "/local/warm";

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === WARM_PATH || pathname === FILES_DOOR) {
      const { CONTAINER_HOST_TOKEN } = hostSchema.parse(env);
      if (request.headers.get("x-container-host-token") !== CONTAINER_HOST_TOKEN)
        return new Response(null, { status: 404 });
      if (pathname === FILES_DOOR) return await handleFilesDoor(request, env.STATE);
      const { gateway } = servicesOf(env, readConfig({ ...env }));
      return await gateway.ready().then(
        () => Response.json({ ready: true }),
        (error: unknown) => Response.json({ ready: false, reason: error instanceof Error ? error.message : "unknown" }),
      );
    }
    return (await playAccess(request, env)) ?? (await worker.fetch(request, env, ctx));
  },
  scheduled: (event, env) => worker.scheduled(event, env),
} satisfies ExportedHandler<Cloudflare.Env>;
