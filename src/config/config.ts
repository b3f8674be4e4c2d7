import type { z } from "zod";
import { Failure } from "../core/failure.ts";
import { keepSecret } from "../core/redact.ts";
import { LEGACY, understandLegacy } from "./legacy.ts";
import { type ModelTarget, modelTargets } from "./providers.ts";
import { SETTINGS, type Settings, settingsSchema } from "./settings.ts";

/** What the rest of the Worker is configured by; nothing else reads settings. */
export interface Config {
  publicUrl: string;
  /** The MCP endpoint's exact URL: the OAuth resource, and the audience of every token. */
  mcpUrl: string;
  /** The origin of the gateway's Control UI, which has nothing else on it. Undefined: it is not served. */
  controlUrl: string | undefined;
  login: {
    issuer: string;
    clientId: string;
    clientSecret: string;
    emails: readonly string[];
    domains: readonly string[];
  };
  /** Access in front of the pages for people. What is not set stays undefined or empty, and the guard shuts. */
  access: { teamDomain: string | undefined; audiences: readonly string[]; serviceTokens: readonly string[] };
  model: {
    /** In the order they are asked; at least one, all of one API. */
    targets: readonly [ModelTarget, ...ModelTarget[]];
    contextTokens: number;
    maxTokens: number;
    patienceMs: number;
    /** Undefined: no cap. */
    dailyTokens: number | undefined;
    dailyUsd: number | undefined;
  };
  channels: {
    telegram: string | undefined;
    telegramUrl: string;
    slack: { bot: string; app: string } | undefined;
    slackUrl: string;
  };
  browser: {
    privateHosts: readonly string[];
    secrets: Readonly<Record<string, { value: string; hosts: readonly string[] }>>;
  };
  /** Without `bridgeUrl` the container reaches the bridge by interception. */
  sandbox: { bridgeUrl: string | undefined; sleepAfter: string; monthlyHours: number | undefined };
  /** What the container may reach of the internet; without `allow`, all public hosts. */
  egress: { allow: readonly string[] | undefined };
  /** Whether the bot asks before it runs a command. */
  execApproval: "off" | "ask";
  /** How long which generations of the memory are kept. Milliseconds. */
  retention: { allFor: number; hourlyFor: number; dailyFor: number };
  /** How long, and how much of it, the journal keeps. */
  journal: { days: number; entries: number };
  /** What the owner might want to change, for the log. */
  hints: readonly string[];
}

/**
 * Reads every setting from the Worker's variables. One Failure names all that is missing or wrong; values are
 * never repeated in it, for a mistyped setting may hold a secret.
 */
export function readConfig(variables: Record<string, unknown>): Config {
  const legacy = understandLegacy(variables);
  const given: Record<string, unknown> = {};
  for (const [name, { secret }] of Object.entries({ ...LEGACY, ...SETTINGS })) {
    // An empty variable is how a template leaves a setting out.
    const value = [variables[name], legacy.settings[name]].find((text) => text !== undefined && text !== "");
    if (value === undefined) continue;
    if (secret && typeof value === "string") keepSecret(value);
    given[name] = value;
  }
  const parsed = settingsSchema.safeParse(given);
  const problems = parsed.success
    ? missingTogether(parsed.data)
    : parsed.error.issues.map((issue) => problem(issue, given));
  if (parsed.success && problems.length === 0) {
    for (const { value } of Object.values(parsed.data.BROWSER_SECRETS)) keepSecret(value);
    return { ...toConfig(parsed.data), hints: legacy.hints };
  }
  throw new Failure("misconfigured", `The Worker's settings are not complete: ${problems.join("; ")}.`, {
    hint: "Set them with `wrangler secret put NAME`, in wrangler.jsonc or in .dev.vars; docs/settings.md explains each.",
  });
}

function missingTogether(settings: Settings): string[] {
  const problems: string[] = [];
  if (settings.ALLOWED_EMAILS.length === 0 && settings.ALLOWED_DOMAINS.length === 0) {
    problems.push("ALLOWED_EMAILS and ALLOWED_DOMAINS are both empty, so nobody could sign in");
  }
  if ((settings.SLACK_BOT_TOKEN === undefined) !== (settings.SLACK_APP_TOKEN === undefined)) {
    problems.push("SLACK_BOT_TOKEN and SLACK_APP_TOKEN go together");
  }
  const control = settings.CONTROL_UI_URL && new URL(settings.CONTROL_UI_URL);
  // A port alone does not keep two sites apart: cookies do not know ports.
  if (control && control.hostname === new URL(settings.PUBLIC_URL).hostname) {
    problems.push("CONTROL_UI_URL must have another host name than PUBLIC_URL");
  }
  if (control && control.pathname !== "/") problems.push("CONTROL_UI_URL must not have a path");
  if (settings.MEMORY_KEEP_HOURLY < settings.MEMORY_KEEP_ALL) {
    problems.push("MEMORY_KEEP_HOURLY must not be shorter than MEMORY_KEEP_ALL");
  }
  if (settings.MEMORY_KEEP_DAILY < settings.MEMORY_KEEP_HOURLY) {
    problems.push("MEMORY_KEEP_DAILY must not be shorter than MEMORY_KEEP_HOURLY");
  }
  problems.push(...modelTargets(settings).problems);
  return problems;
}

/** Only this project's own messages are repeated: the library's may quote the value. */
function problem(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  // A setting that is a list may have a fault in one of its items.
  const name = String(issue.path[0]);
  if (given[name] === undefined) return `${name} is missing`;
  return `${name} ${issue.message.startsWith("must ") ? issue.message : "is not valid"}`;
}

function toConfig(settings: Settings): Omit<Config, "hints"> {
  return {
    publicUrl: settings.PUBLIC_URL,
    mcpUrl: `${settings.PUBLIC_URL}/mcp`,
    controlUrl: settings.CONTROL_UI_URL && new URL(settings.CONTROL_UI_URL).origin,
    login: {
      issuer: settings.OIDC_ISSUER,
      clientId: settings.OIDC_CLIENT_ID,
      clientSecret: settings.OIDC_CLIENT_SECRET,
      emails: settings.ALLOWED_EMAILS,
      domains: settings.ALLOWED_DOMAINS,
    },
    access: {
      teamDomain: settings.ACCESS_TEAM_DOMAIN,
      audiences: settings.ACCESS_AUD,
      serviceTokens: settings.ACCESS_SERVICE_TOKENS,
    },
    model: {
      targets: atLeastOne(modelTargets(settings).targets),
      contextTokens: settings.MODEL_CONTEXT_TOKENS,
      maxTokens: settings.MODEL_MAX_TOKENS,
      patienceMs: settings.MODEL_PATIENCE_SECONDS * 1000,
      dailyTokens: settings.MODEL_DAILY_TOKENS,
      dailyUsd: settings.MODEL_DAILY_USD,
    },
    channels: {
      telegram: settings.TELEGRAM_BOT_TOKEN,
      telegramUrl: settings.TELEGRAM_API_URL,
      slackUrl: settings.SLACK_API_URL,
      slack:
        settings.SLACK_BOT_TOKEN !== undefined && settings.SLACK_APP_TOKEN !== undefined
          ? { bot: settings.SLACK_BOT_TOKEN, app: settings.SLACK_APP_TOKEN }
          : undefined,
    },
    browser: { privateHosts: settings.BROWSER_PRIVATE_HOSTS, secrets: settings.BROWSER_SECRETS },
    sandbox: {
      bridgeUrl: settings.BRIDGE_URL,
      sleepAfter: settings.SLEEP_AFTER,
      monthlyHours: settings.SANDBOX_MONTHLY_HOURS,
    },
    egress: { allow: settings.EGRESS_ALLOW.length > 0 ? settings.EGRESS_ALLOW : undefined },
    execApproval: settings.EXEC_APPROVAL,
    retention: {
      allFor: settings.MEMORY_KEEP_ALL,
      hourlyFor: settings.MEMORY_KEEP_HOURLY,
      dailyFor: settings.MEMORY_KEEP_DAILY,
    },
    journal: { days: settings.JOURNAL_DAYS, entries: settings.JOURNAL_ENTRIES },
  };
}

function atLeastOne<T>([first, ...others]: readonly T[]): [T, ...T[]] {
  if (first === undefined) throw new Failure("internal", "There is no model.");
  return [first, ...others];
}
