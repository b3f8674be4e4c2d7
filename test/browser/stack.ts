import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import { openBrowser } from "../../local/browser/browser.ts";
import { type Pages, servePages } from "./pages.ts";

const answerSchema = z.object({
  // Each test knows its own tool's shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  data: z.record(z.string(), z.any()).default({}),
  text: z.string().default(""),
  blocks: z.array(z.object({ data: z.string(), mimeType: z.string() })).default([]),
  failed: z.boolean().default(false),
  failure: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});

export type Answer = z.output<typeof answerSchema> & { images: { data: string; mimeType: string }[] };

export interface BrowserStack {
  pages: Pages;
  /** Runs `browser_<tool>` for a person. */
  call(tool: string, input?: Record<string, unknown>, principal?: string): Promise<Answer>;
  /** How many browsers there are. */
  sessions(): Promise<number>;
  get(path: string): Promise<Response>;
  urlOf(path: string): URL;
  /** A program that is the same Chromium, for a peer to be compared with. */
  chromium: string;
  close(): Promise<void>;
}

const plain = (value: string) => ({ type: "plain_text" as const, value });

export const SECRET = "correct horse/battery";

/** The real session object in workerd with a real Chromium, and the held pages. */
export async function startBrowserStack(): Promise<BrowserStack> {
  // Offline it would only complain.
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  const pages = await servePages();
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-browser-"));
  const chromium = await openBrowser({ stateDir, privateHosts: pages.hosts, log: () => undefined });
  const secrets = {
    LOGIN: { value: SECRET, hosts: ["127.0.0.1"] },
    OTHER: { value: "elsewhere-only", hosts: ["example.com"] },
  };
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url)),
    bindings: {
      PAGES: plain(pages.hosts.join(",")),
      SECRETS: plain(JSON.stringify(secrets)),
    },
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      persist: false,
      inspector: false,
      watch: false,
      logLevel: "error",
    },
  });
  await worker.ready;
  const base = await worker.url;
  const urlOf = (path: string) => new URL(path, base);
  const get = (path: string) => fetch(urlOf(path));
  return {
    pages,
    get,
    urlOf,
    chromium: join(stateDir, "chromium.sh"),
    async call(tool, input = {}, principal = "me") {
      const body = JSON.stringify({ tool: `browser_${tool}`, input, principal });
      const response = await fetch(new URL("/call", base), { method: "POST", body });
      const answer = answerSchema.parse(await response.json());
      return { ...answer, images: answer.blocks };
    },
    async sessions() {
      return z.object({ sessions: z.array(z.unknown()) }).parse(await (await get("/sessions")).json()).sessions.length;
    },
    async close() {
      await worker.dispose();
      await chromium.close();
      await rm(stateDir, { recursive: true, force: true });
      await pages.close();
    },
  };
}
