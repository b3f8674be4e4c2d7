/** The container server: the first process of a jail. See wire.ts for how it reaches the host. */
import { closeSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { SandboxApi } from "./api.ts";
import { messageOf } from "./failure.ts";
import { announceReady, forwardPort, obeyHost } from "./host-link.ts";
import { ProcessTable } from "./process-table.ts";
import { serveApi } from "./rpc-server.ts";
import { DEFAULT_DIRECTORY, shellQuote } from "./shell.ts";
import { BRIDGE_PORT, EGRESS_PORT, STOP_GRACE_MS } from "./wire.ts";

/** When memory runs out, the kernel ends what is in a jail before anything else of the machine. */
const OOM_SCORE = "500";

/** Of the time the host allows for stopping, what is left for ending the processes inside. */
const PROCESS_STOP_MS = STOP_GRACE_MS - 5_000;

const CLOSE_ON_EXEC = 0o2000000;

/** Closes what the host's own parent left open for its children. Node opens nothing without close-on-exec itself. */
function closeInherited(): void {
  for (const fd of readdirSync("/proc/self/fd").map(Number)) {
    if (fd <= 2) continue;
    try {
      const [, flags] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
      if (flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) closeSync(fd);
    } catch {
      // The descriptor that listed the directory is gone by now.
    }
  }
}

closeInherited();
writeFileSync("/proc/self/oom_score_adj", OOM_SCORE);

// A fault in one call must not end the bot that runs here.
process.on("unhandledRejection", (reason) => console.error("unhandled:", reason));

const table = new ProcessTable();
let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await table.stop(PROCESS_STOP_MS);
  process.exit(0);
}

obeyHost({ onStop: () => void stop(), onLost: () => process.exit(1) });
process.on("SIGTERM", () => void stop());

try {
  await Promise.all([
    serveApi(new SandboxApi(table)),
    forwardPort(BRIDGE_PORT, "bridge"),
    forwardPort(EGRESS_PORT, "egress"),
  ]);
  const entrypoint = process.argv.slice(2);
  if (entrypoint.length > 0) {
    await table.start(entrypoint.map(shellQuote).join(" "), { cwd: DEFAULT_DIRECTORY, env: {} });
  }
  announceReady();
} catch (error) {
  console.error(`The container server cannot start: ${messageOf(error)}`);
  process.exit(1);
}
