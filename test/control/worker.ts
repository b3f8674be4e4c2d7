import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { tieWorkerd } from "../../local/workerd.ts";

const CONFIG = fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url));

/** The way from the guard to a gateway, in workerd: everything but the guard. */
export async function passWorker(gateway: {
  url: string;
  token: string;
}): Promise<{ url: string; close(): Promise<void> }> {
  tieWorkerd();
  const worker = await unstable_startWorker({
    config: CONFIG,
    bindings: {
      GATEWAY: { type: "plain_text", value: gateway.url },
      TOKEN: { type: "plain_text", value: gateway.token },
    },
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      persist: false,
      inspector: false,
      watch: false,
      logLevel: "error",
    },
  });
  return { url: (await worker.url).origin, close: () => worker.dispose() };
}
