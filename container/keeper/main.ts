/**
 * The keeper of the bot's state. `restore` runs before the gateway and must succeed; `keep` runs beside it until SIGTERM, and
 * commits a last time then. Exit code 3: this container's time is over, another start has taken its place.
 */
import { Bridge, BridgeError } from "./bridge.ts";
import { readMark } from "./disk-mark.ts";
import { keepUntil } from "./loop.ts";
import { restore } from "./restore.ts";
import { readSettings } from "./settings.ts";

const OUSTED = 3;

async function main(what: string | undefined): Promise<void> {
  const settings = readSettings(process.env);
  const bridge = new Bridge(settings);
  if (what === "restore") {
    const started = performance.now();
    const outcome = await restore(settings, bridge);
    console.log(`Memory: ${outcome} (${Math.round(performance.now() - started)} ms).`);
    return;
  }
  if (what !== "keep") throw new Error("Say `restore` or `keep`.");
  const mark = readMark(settings.home);
  if (mark?.phase !== "ready") throw new Error("This disk was not prepared by `restore`.");
  const stop = new AbortController();
  process.on("SIGTERM", () => stop.abort());
  process.on("SIGINT", () => stop.abort());
  console.log(`Keeping the memory as container start ${mark.fence}.`);
  await keepUntil(stop.signal, settings, bridge, mark.fence);
}

main(process.argv[2]).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof BridgeError && error.hint !== "") console.error(error.hint);
    const ousted = error instanceof BridgeError && (error.code === "unauthorized" || error.code === "forbidden");
    process.exit(ousted ? OUSTED : 1);
  },
);
