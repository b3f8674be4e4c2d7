import { type App, app } from "./app.ts";
import { type Config, readConfig } from "./config/config.ts";
import { toFailure } from "./core/failure.ts";
import { log } from "./core/log.ts";

export { ContainerProxy } from "./sandbox/container-proxy.ts";
export {
  MoltbotBrowser,
  MoltbotCdp,
  MoltbotChat,
  MoltbotJournal,
  MoltbotMemory,
  MoltbotSandbox,
  MoltbotUsage,
} from "./objects.ts";

/** Made once per isolate; the environment of an isolate does not change. */
let made: App | undefined;

function start(config: Config): App {
  for (const hint of config.hints) log("warn", "config", { hint });
  return app(config);
}

export default {
  async fetch(request, env, ctx) {
    try {
      made ??= start(readConfig({ ...env }));
      return await made.fetch(request, env, ctx);
    } catch (error) {
      const failure = toFailure(error);
      log("error", "request", { outcome: failure.code, message: failure.message, cause: failure.cause });
      // The settings' names are for the owner, who reads the log, not for whoever happens to call.
      const text =
        failure.code === "misconfigured"
          ? "This Moltbot is not set up yet; its log says what is missing."
          : failure.message;
      return new Response(`${text}\n`, { status: failure.status });
    }
  },
  async scheduled(_event, env) {
    made ??= app(readConfig({ ...env }));
    await made.scheduled(env);
  },
} satisfies ExportedHandler<Cloudflare.Env>;
