import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";

const CONFIG = fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url));

export interface FixtureServer {
  /** Its MCP endpoint. */
  url: string;
  close(): Promise<void>;
}

/** The fixture entry in workerd, on loopback. */
export async function fixtureServer(): Promise<FixtureServer> {
  const worker = await unstable_startWorker({
    config: CONFIG,
    dev: { server: { hostname: "127.0.0.1", port: 0 }, inspector: false, watch: false, logLevel: "error" },
  });
  await worker.ready;
  const { origin } = new URL(await worker.url);
  return { url: `${origin}/mcp`, close: () => worker.dispose() };
}
