/** The one port of the gateway: HTTP and WebSocket. */
export const GATEWAY_PORT = 18789;

/** Longest a single agent run may take; the gateway ends it itself then. Seconds. */
export const RUN_TIMEOUT_SECONDS = 600;

const HOME = "/home/moltbot";
const STATE = `${HOME}/.openclaw`;
/** The bot's own folder: what it writes down, and where commands run. */
export const WORKSPACE = "/workspace";
const PROVIDER = "bridge";

export interface GatewayModel {
  /** The one name under which the gateway asks the bridge. */
  id: string;
  /** The API it asks by, in the gateway's word for it. */
  api: "anthropic-messages" | "openai-completions" | "openai-responses";
  /** Tokens. */
  contextWindow: number;
  /** Tokens of one answer. */
  maxTokens: number;
  input: ("text" | "image")[];
}

export interface GatewayOptions {
  /** Where the container reaches our model bridge; the gateway adds the API's path. */
  modelBaseUrl: string;
  model: GatewayModel;
  /** Origins from which the Control UI may be opened, for example "https://bot.example.workers.dev". */
  allowedOrigins: string[];
  /** "ask": a person has to allow each command that is not known to be harmless. */
  execApproval: "off" | "ask";
  /** Chat services the bot is on, and where it reaches them. */
  telegram?: { apiRoot: string };
  slack?: {
    /** Folder in the container with the plugin: the gateway does not bring it along. */
    plugin: string;
  };
  /** Absent: the bot has no browser. */
  browser?: {
    cdpUrl: string;
    /** Folder in the container with the skills that need one. */
    skills: string;
  };
}

/** Where the gateway's environment has what it shows in place of secrets. */
const ENV_NAMES = {
  bridge: "BRIDGE_TOKEN",
  telegram: "BRIDGE_TELEGRAM_TOKEN",
  slackBot: "BRIDGE_SLACK_BOT_TOKEN",
  slackApp: "BRIDGE_SLACK_APP_TOKEN",
} as const;

/**
 * By reference, and not as `${NAME}`, which becomes part of the configuration when it is loaded: as each start has tokens of its
 * own, the gateway would think that it changed, and look through all it has for what to migrate. Measured at 7 s of a start.
 */
function fromEnv(name: keyof typeof ENV_NAMES) {
  return { source: "env", provider: "default", id: ENV_NAMES[name] };
}

/**
 * The content of openclaw.json. Pure: secrets are named, not written; the gateway takes them from its environment, that of its
 * own door (OPENCLAW_GATEWAY_TOKEN) without being told.
 */
export function gatewayConfig(options: GatewayOptions): Record<string, unknown> {
  const { model, browser, telegram, slack, execApproval } = options;
  return {
    gateway: {
      mode: "local",
      port: GATEWAY_PORT,
      bind: "lan",
      auth: {
        mode: "token",
        rateLimit: { maxAttempts: 20, windowMs: 60_000, lockoutMs: 60_000 },
      },
      controlUi: { allowedOrigins: options.allowedOrigins },
      terminal: { enabled: false },
    },
    // The host decides what is advertised, when the version changes and what leaves the container.
    discovery: { mdns: { mode: "off" } },
    update: { checkOnStart: false },
    telemetry: { enabled: false },
    models: {
      mode: "merge",
      catalogRefresh: { enabled: false },
      providers: {
        [PROVIDER]: {
          baseUrl: options.modelBaseUrl,
          apiKey: fromEnv("bridge"),
          api: model.api,
          models: [
            {
              id: model.id,
              name: model.id,
              contextWindow: model.contextWindow,
              maxTokens: model.maxTokens,
              input: model.input,
            },
          ],
        },
      },
    },
    agents: {
      defaults: {
        workspace: WORKSPACE,
        model: { primary: `${PROVIDER}/${model.id}` },
        // Heartbeats, titles, dreaming and skill reviews call the model with nobody asking: off.
        utilityModel: "",
        heartbeat: { every: "0m" },
        timeoutSeconds: RUN_TIMEOUT_SECONDS,
        // Whoever follows a run wants to see the command, not a paraphrase of it.
        toolProgressDetail: "raw",
      },
    },
    memory: { search: { provider: "none" } },
    session: { dmScope: "per-channel-peer" },
    skills: {
      workshop: { autonomous: { mode: "off" } },
      ...(browser ? { load: { extraDirs: [browser.skills] } } : {}),
    },
    ...(browser
      ? {
          browser: {
            enabled: true,
            defaultProfile: "remote",
            // Names and addresses mean something else where the browser is: whoever runs it guards its network.
            ssrfPolicy: { dangerouslyAllowPrivateNetwork: true },
            profiles: { remote: { cdpUrl: browser.cdpUrl, attachOnly: true } },
          },
        }
      : { browser: { enabled: false } }),
    ...(telegram || slack
      ? {
          channels: {
            // Strangers ask to be paired; a person lets them in.
            ...(telegram
              ? { telegram: { enabled: true, dmPolicy: "pairing", botToken: fromEnv("telegram"), ...telegram } }
              : {}),
            ...(slack
              ? {
                  slack: {
                    enabled: true,
                    mode: "socket",
                    dmPolicy: "pairing",
                    botToken: fromEnv("slackBot"),
                    appToken: fromEnv("slackApp"),
                  },
                }
              : {}),
          },
        }
      : {}),
    // The bot may work in its container but not rewire the gateway that watches it.
    tools: {
      deny: ["openclaw", "gateway", "computer", "nodes", "plugins"],
      elevated: { enabled: false },
      ...(execApproval === "ask" ? { exec: { mode: "ask" } } : {}),
    },
    plugins: {
      ...(slack ? { load: { paths: [slack.plugin] } } : {}),
      allow: [
        "admin-http-rpc",
        "memory-core",
        "device-pair",
        ...(browser ? ["browser"] : []),
        ...(telegram ? ["telegram"] : []),
        ...(slack ? ["slack"] : []),
      ],
      entries: {
        "admin-http-rpc": { enabled: true },
        "memory-core": { enabled: true, config: { dreaming: { enabled: false } } },
        "device-pair": { enabled: true },
        ...(browser ? { browser: { enabled: true } } : {}),
        ...(telegram ? { telegram: { enabled: true } } : {}),
        ...(slack ? { slack: { enabled: true } } : {}),
      },
    },
  };
}

export interface GatewaySecrets {
  /** Opens this one gateway; made anew at each start. */
  gatewayToken: string;
  /** Opens this one container's bridge; made anew at each start. */
  bridgeToken: string;
  /** What chat services' libraries take for a token, with the bridge's in it. */
  placeholders: { telegram: string; slackBot: string; slackApp: string };
  /** Where Slack's Web API is for the bot. */
  slackApiUrl?: string;
}

/** The gateway's process environment. */
export function gatewayEnv(secrets: GatewaySecrets) {
  return {
    HOME,
    OPENCLAW_STATE_DIR: STATE,
    OPENCLAW_CONFIG_PATH: `${STATE}/openclaw.json`,
    OPENCLAW_CONFIG_READONLY: "1",
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    OPENCLAW_EXEC_SHELL_SNAPSHOT: "0",
    OPENCLAW_OFFLINE: "1",
    OPENCLAW_GATEWAY_TOKEN: secrets.gatewayToken,
    [ENV_NAMES.bridge]: secrets.bridgeToken,
    // Also of services that it is not on yet: it takes them over without a new start.
    [ENV_NAMES.telegram]: secrets.placeholders.telegram,
    [ENV_NAMES.slackBot]: secrets.placeholders.slackBot,
    [ENV_NAMES.slackApp]: secrets.placeholders.slackApp,
    ...(secrets.slackApiUrl === undefined ? {} : { SLACK_API_URL: secrets.slackApiUrl }),
    NO_PROXY: "localhost,127.0.0.1,::1,.internal",
    no_proxy: "localhost,127.0.0.1,::1,.internal",
  } satisfies Record<string, string>;
}
