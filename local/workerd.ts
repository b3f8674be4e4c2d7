import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";

const workerdSchema = z.object({ default: z.string() });

/** From now on every workerd that this process starts ends with it, however this process ends. */
export function tieWorkerd(): void {
  // workerd is wrangler's dependency, and has to be the very one that wrangler would start.
  const fromWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
  process.env.WORKERD_BINARY = workerdSchema.parse(fromWrangler("workerd")).default;
  process.env.MINIFLARE_WORKERD_PATH = join(import.meta.dirname, "workerd.sh");
}
