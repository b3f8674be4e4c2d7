/**
 * This project's container server as the first process of a Docker container: for a base image where Cloudflare's own
 * cannot be had. The one in a jail speaks to its host as well; here there is none.
 */
import { SandboxApi } from "../../../local/container/server/api.ts";
import { ProcessTable } from "../../../local/container/server/process-table.ts";
import { serveApi } from "../../../local/container/server/rpc-server.ts";

/** Docker kills what has not ended after 10 seconds. */
const STOP_WITHIN_MS = 8_000;

process.on("unhandledRejection", (reason) => console.error("unhandled:", reason));

const table = new ProcessTable();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => void table.stop(STOP_WITHIN_MS).then(() => process.exit(0)));
}
await serveApi(new SandboxApi(table));
