import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";

export const SESSION = "agent:main:mcp:0123456789abcdef01234567:talk";

/** A request as the gateway makes it; what is odd in it must arrive as odd. */
export const BODY = String.raw`{"model":"moltbot", "max_tokens":16000,"big":12345678901234567890,
 "messages":[{"role":"user","content":"\u00e9 é \"model\":\"moltbot\" {[","input":{"model":"moltbot"}}],
 "system":[{"type":"text","text":"You are.\n\nRuntime: agent=main | session=${SESSION} | sessionId=1 | host=moltbot"}],"stream":true}`;

const kept = z.object({
  journal: z.array(z.looseObject({ action: z.string(), outcome: z.string() })),
  turns: z.array(z.looseObject({ session: z.string() })),
  usage: z.object({ value: z.looseObject({ total: z.looseObject({ calls: z.number() }), models: z.array(z.any()) }) }),
});

/** A bridge that remembers nothing of any other. */
export interface FreshBridge {
  ask: (path: string, body?: string, init?: RequestInit) => Promise<Response>;
  /** What it told the chats and the journal, and what it counted. */
  kept: () => Promise<z.output<typeof kept>>;
}

/** How the container comes to the bridge: by its URL with the token, or by what the platform intercepts, without one. */
export const WAYS = ["by the token", "by interception"] as const;
export type Way = (typeof WAYS)[number];

export interface TestBridge {
  /** `variables` are the Worker's. */
  fresh(variables: Record<string, string>, way?: Way): FreshBridge;
  url: string;
  close(): Promise<void>;
}

/** The real bridge in workerd, without the rest of the Worker. */
export async function startBridge(): Promise<TestBridge> {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url)),
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      persist: false,
      inspector: false,
      watch: false,
      logLevel: "error",
    },
  });
  const url = (await worker.url).origin;
  return {
    url,
    fresh(variables, way = "by the token") {
      const test = randomUUID();
      const headers = { "x-test": test, "x-variables": JSON.stringify(variables) };
      const admission = way === "by the token" ? { "x-api-key": "of-this-start" } : { "x-container": "own" };
      return {
        ask: (path, body = BODY, init = {}) =>
          fetch(`${url}/bridge${path}`, {
            method: "POST",
            ...(init.method === "GET" ? {} : { body }),
            ...init,
            headers: {
              ...admission,
              "content-type": "application/json",
              ...headers,
              ...Object(init.headers),
            },
          }),
        kept: async () => kept.parse(await (await fetch(`${url}/kept`, { headers })).json()),
      };
    },
    close: () => worker.dispose(),
  };
}
