import { BrowserBridgeObject } from "./bridge/cdp/object.ts";
import type { BrowserPlatform } from "./browser/binding.ts";
import { bridgeAddresses, INTERNAL_HOSTS } from "./bridge/addresses.ts";
import { placeholders } from "./bridge/channel/channels.ts";
import { LOGICAL_MODEL } from "./bridge/model/question.ts";
import { handleIntercepted } from "./bridge/routes.ts";
import { BrowserObject, type BrowserSetup } from "./browser/object.ts";
import { ChatObject } from "./chat/object.ts";
import { type Config, readConfig } from "./config/config.ts";
import { type GatewayDoor, PASS_HOST, passToGateway } from "./control/pass.ts";
import { toFailure } from "./core/failure.ts";
import { log } from "./core/log.ts";
import { FOLDER_PATH, FOLDER_PREFIX } from "./files/folder.ts";
import type { GatewayAccess } from "./gateway/access.ts";
import { GATEWAY_PORT, gatewayConfig, gatewayEnv, WORKSPACE } from "./gateway/config.ts";
import { WARM_UP } from "./gateway/warm-up.ts";
import { MemoryObject } from "./memory/object.ts";
import type { Retention } from "./memory/retention.ts";
import type { BucketFolder } from "./sandbox/folder.ts";
import type { GatewayPlan, GatewayTokens } from "./sandbox/gateway-plan.ts";
import type { JournalLimits } from "./journal/access.ts";
import { JournalObject } from "./journal/object.ts";
import { type EgressPolicy, passOut } from "./sandbox/egress.ts";
import { SandboxObject } from "./sandbox/object.ts";
import { openTerminal, TERMINAL_HOST, type TerminalDoor } from "./sandbox/terminal.ts";
import { SERVER_PORT } from "./sandbox/wire.ts";
import type { UptimeLimits } from "./sandbox/uptime.ts";
import { servicesOf } from "./services.ts";
import { UsageObject } from "./usage/object.ts";

/** Where in the container the browser's DevTools are. */
const CDP_PORT = 9222;

/** Where the container has what is in this project's container/ folder. */
const CONTAINER_FILES = "/opt/moltbot";

/** Where the image has the gateway's plugins that are packages of their own. */
const PLUGINS = `${CONTAINER_FILES}/plugins/node_modules/@openclaw`;

/** The container's Durable Object, told which gateway to start. */
export class MoltbotSandbox extends SandboxObject<Cloudflare.Env> {
  protected folder(): BucketFolder {
    return { binding: "STATE", prefix: `/${FOLDER_PREFIX.slice(0, -1)}`, path: FOLDER_PATH };
  }

  protected plan(tokens: GatewayTokens): GatewayPlan {
    const { model, channels, publicUrl, controlUrl, sandbox, execApproval } = readConfig({ ...this.env });
    const bridge = bridgeAddresses({ bridgeUrl: sandbox.bridgeUrl, publicUrl });
    const env = gatewayEnv({
      gatewayToken: tokens.gateway,
      bridgeToken: tokens.bridge,
      placeholders: placeholders(tokens.bridge),
      ...(channels.slack ? { slackApiUrl: `${bridge.slack}/` } : {}),
    });
    const config = gatewayConfig({
      modelBaseUrl: bridge.model,
      model: {
        id: LOGICAL_MODEL,
        api: model.targets[0].api,
        contextWindow: model.contextTokens,
        maxTokens: model.maxTokens,
        input: ["text", "image"],
      },
      allowedOrigins: [controlUrl ?? publicUrl],
      execApproval,
      ...(channels.telegram ? { telegram: { apiRoot: bridge.telegram } } : {}),
      ...(channels.slack ? { slack: { plugin: `${PLUGINS}/slack` } } : {}),
      browser: { cdpUrl: `http://127.0.0.1:${CDP_PORT}`, skills: `${CONTAINER_FILES}/skills` },
    });
    const keeperEnv = {
      KEEPER_URL: bridge.state,
      KEEPER_HOME: `${env.HOME}/.keeper`,
      KEEPER_WORKSPACE: WORKSPACE,
      KEEPER_STATE: env.OPENCLAW_STATE_DIR,
      BRIDGE_TOKEN: tokens.bridge,
    };
    return {
      before: { argv: ["node", `${CONTAINER_FILES}/keeper/main.ts`, "restore"], env: keeperEnv },
      beside: {
        // The gateway knows a browser by its DevTools port, and finds one on loopback.
        "cdp-port": {
          argv: ["node", `${CONTAINER_FILES}/cdp-port/main.ts`],
          env: {
            CDP_PORT: String(CDP_PORT),
            CDP_BRIDGE_URL: bridge.browser,
            ...(bridge.browserFallback === undefined ? {} : { CDP_FALLBACK_URL: bridge.browserFallback }),
            BRIDGE_TOKEN: tokens.bridge,
          },
        },
      },
      companion: { argv: ["bash", `${CONTAINER_FILES}/keeper/keep.sh`], env: keeperEnv },
      argv: ["openclaw", "gateway", "run", "--port", String(GATEWAY_PORT), "--bind", "lan"],
      env,
      files: [{ path: env.OPENCLAW_CONFIG_PATH, content: JSON.stringify(config, null, 2) }],
      port: GATEWAY_PORT,
      readyPath: "/startupz",
    };
  }

  /** Two of the Worker's own routes end here, for a WebSocket cannot be handed over by a call. All else is the SDK's. */
  override async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).hostname) {
      case PASS_HOST:
        return await answered(async () => passToGateway(request, await this.#door()));
      case TERMINAL_HOST:
        return await answered(() => openTerminal(request, this.#terminalDoor()));
      default:
        return await super.fetch(request);
    }
  }

  async #door(): Promise<GatewayDoor> {
    const { container } = this.ctx;
    const { controlUrl, publicUrl } = readConfig({ ...this.env });
    return {
      port: container?.running ? { fetch: portOf(container, GATEWAY_PORT) } : undefined,
      controlUrl: controlUrl ?? publicUrl,
      token: (await this.tokens()).gateway,
      used: () => this.#used(),
    };
  }

  #used(): void {
    void this.activity.use(() => Promise.resolve());
  }

  #terminalDoor(): TerminalDoor {
    const { container } = this.ctx;
    return {
      port: container?.running ? { fetch: portOf(container, SERVER_PORT) } : undefined,
      used: () => this.#used(),
      ended: (end) =>
        servicesOf(this.env, readConfig({ ...this.env })).journal({
          kind: "admin",
          action: "terminal/close",
          outcome: "ok",
          ...end,
        }),
    };
  }

  protected egress(): EgressPolicy {
    return egressOf(readConfig({ ...this.env }));
  }

  protected limits(): UptimeLimits {
    const { sleepAfter, monthlyHours } = readConfig({ ...this.env }).sandbox;
    return { sleepAfter, capHours: monthlyHours };
  }

  protected async endRuns(): Promise<void> {
    await servicesOf(this.env, readConfig({ ...this.env })).endRuns();
  }

  /** Whoever waits for an answer has the gateway load the same, and is not to wait for both. */
  protected async warmUp(): Promise<typeof WARM_UP | undefined> {
    const { isChatting } = servicesOf(this.env, readConfig({ ...this.env }));
    return (await isChatting()) ? undefined : WARM_UP;
  }
}

// After the class, both: as static fields of it they would hide the setters by which the SDK learns of them.
MoltbotSandbox.outboundByHost = Object.fromEntries(
  Object.keys(INTERNAL_HOSTS).map((host) => [
    host,
    (request, env, { containerId }) =>
      handleIntercepted(request, servicesOf(env, readConfig({ ...env })).bridge, containerId),
  ]),
);

MoltbotSandbox.outbound = (request, env) => passOut(request, egressOf(readConfig({ ...env })));

/** Past the SDK, which would take an open page for somebody who uses the container. */
function portOf(container: Container, port: number): (request: Request) => Promise<Response> {
  return async (request) => await container.getTcpPort(port).fetch(request);
}

async function answered(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const failure = toFailure(error);
    log(failure.code === "internal" ? "error" : "info", "container.pass", {
      outcome: failure.code,
      cause: failure.cause,
    });
    return Response.json(
      { error: failure.view() },
      { status: failure.status, headers: { "cache-control": "no-store" } },
    );
  }
}

/** With a list the Worker itself is on it: the browser's sockets may have to come by its public URL. */
function egressOf({ egress: { allow }, publicUrl }: Config): EgressPolicy {
  return { allow: allow && [...allow, new URL(publicUrl).hostname] };
}

/** The Durable Object that counts what models cost. */
export class MoltbotUsage extends UsageObject<Cloudflare.Env> {}

/** The chats' Durable Object, told how to reach the gateway. */
export class MoltbotChat extends ChatObject<Cloudflare.Env> {
  protected gateway(): GatewayAccess {
    return servicesOf(this.env, readConfig({ ...this.env })).gateway;
  }
}

/** A person's browser session, told where browsers come from. */
export class MoltbotBrowser extends BrowserObject<Cloudflare.Env> {
  protected setup(): BrowserSetup {
    const config = readConfig({ ...this.env });
    const { privateHosts, secrets } = config.browser;
    const botSession = () => servicesOf(this.env, config).botBrowser();
    return { binding: this.env.BROWSER, policy: { privateHosts }, secrets, botSession };
  }
}

/** The journal's Durable Object, told how much to keep. */
export class MoltbotJournal extends JournalObject<Cloudflare.Env> {
  protected limits(): JournalLimits {
    const { days, entries } = readConfig({ ...this.env }).journal;
    return { keepMs: days * 24 * 60 * 60 * 1000, entries };
  }
}

/** The memory's Durable Object, told which bucket it keeps generations in, and how long. */
export class MoltbotMemory extends MemoryObject<Cloudflare.Env> {
  protected bucket(): R2Bucket {
    return this.env.STATE;
  }

  protected retention(): Retention {
    return readConfig({ ...this.env }).retention;
  }
}

/** The bot's browser, told by which binding browsers are had. */
export class MoltbotCdp extends BrowserBridgeObject<Cloudflare.Env> {
  protected platform(): BrowserPlatform {
    return this.env.BROWSER;
  }
}
