import { getSandbox } from "@cloudflare/sandbox";
import { Server } from "@modelcontextprotocol/server";
import { env as workerEnv } from "cloudflare:workers";
import { createMcpHandler } from "agents/mcp/server";
import { z } from "zod";
import { handleBridge } from "../src/bridge/routes.ts";
import { readConfig } from "../src/config/config.ts";
import { PASS_HOST } from "../src/control/pass.ts";
import { unwrap } from "../src/core/reply.ts";
import { servicesOf } from "../src/services.ts";
import { CATALOG } from "../src/mcp/catalog.ts";
import { handleMcp } from "../src/mcp/handler.ts";
import { SCOPE_NAMES } from "../src/core/scope.ts";
import worker from "../local/worker.ts";

export * from "../local/worker.ts";

/** A server behind no login and without a pipeline: what the protocol itself costs. */
const bare = createMcpHandler(
  () => {
    const server = new Server({ name: "bare", version: "1.0.0" }, { capabilities: { tools: {} } });
    server.setRequestHandler("tools/list", () => ({
      tools: ["nothing", "exec"].map((name) => ({ name, inputSchema: { type: "object" as const } })),
    }));
    server.setRequestHandler("tools/call", async ({ params }) => {
      const text = params.name === "exec" ? (await exec()).stdout : "nothing";
      return { content: [{ type: "text" as const, text }] };
    });
    return server;
  },
  { route: "/bench/mcp", responseMode: "sse" },
);

/** What command_run is compared with: the SDK's own way, in a fresh process. */
function exec() {
  return getSandbox(workerEnv.SANDBOX, "moltbot", { enableDefaultSession: false }).exec("echo hi");
}

/** The real server behind no login, once with the journal and once without: what the journal costs. */
function pipeline(request: Request, env: Cloudflare.Env, ctx: ExecutionContext, journaled: boolean) {
  const { tools: services, journal, signingKey } = servicesOf(env, readConfig({ ...env }));
  const context = {
    catalog: CATALOG,
    publicUrl: new URL(request.url).origin,
    services,
    caller: { principal: { id: "0".repeat(32), email: "" }, clientId: "bench", scopes: SCOPE_NAMES },
    journal: journaled ? journal : () => {},
    signingKey,
    waitUntil: (work: Promise<void>) => ctx.waitUntil(work),
  };
  return handleMcp(new Request(new URL("/mcp", request.url), request), { context, metadataUrl: "" });
}

/** The real model bridge, with the provider that the benchmark names. */
function model(request: Request, env: Cloudflare.Env): Promise<Response> {
  const { bridge } = servicesOf(env, readConfig({ ...env }));
  const [target] = bridge.model.targets;
  const via = { kind: "http", base: request.headers.get("x-provider") ?? "", headers: {}, metadata: false } as const;
  const url = new URL(request.url.replace("/bench/", "/bridge/"));
  return handleBridge(new Request(url, request), {
    ...bridge,
    model: { ...bridge.model, targets: [{ ...target, via }] },
  });
}

const hostSchema = z.object({ CONTAINER_HOST_TOKEN: z.string() });

/** The local entry, and beside it the peers that the benchmarks compare with. */
export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/bench/mcp") return await bare(request, env, ctx);
    if (pathname === "/bench/journaled/mcp") return await pipeline(request, env, ctx, true);
    if (pathname === "/bench/unjournaled/mcp") return await pipeline(request, env, ctx, false);
    if (!pathname.startsWith("/bench/")) return await worker.fetch(request, env, ctx);
    if (request.headers.get("x-container-host-token") !== hostSchema.parse(env).CONTAINER_HOST_TOKEN) {
      return new Response(null, { status: 404 });
    }
    if (pathname === "/bench/empty") return new Response(`${(await request.text()).length}`);
    if (pathname === "/bench/model/v1/messages") return await model(request, env);
    if (pathname === "/bench/exec") return Response.json(await exec());
    // From behind the guard, which is asked once for each connection.
    if (pathname === "/bench/control") {
      const { control } = servicesOf(env, readConfig({ ...env }));
      return await control.sandbox.fetch(new Request(`http://${PASS_HOST}/`, request));
    }
    const sandbox = env.SANDBOX.idFromName("moltbot");
    const { gateway, bridge } = unwrap(await env.SANDBOX.get(sandbox).gatewayReady());
    return Response.json({ token: gateway, bridge, sandbox: sandbox.toString() });
  },
} satisfies ExportedHandler<Cloudflare.Env>;
