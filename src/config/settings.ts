import { z } from "zod";

/** Every setting there is, once. Config, `.dev.vars.example` and docs/settings.md are derived from this table. */
export interface Setting<T extends z.ZodType = z.ZodType> {
  schema: T;
  /** Kept out of logs and answers; belongs in `wrangler secret put`, not in wrangler.jsonc. */
  secret: boolean;
  about: string;
  example: string;
}

function setting<T extends z.ZodType>(schema: T, about: string, example: string): Setting<T> {
  return { schema, secret: false, about, example };
}

function secret<T extends z.ZodType>(schema: T, about: string, example: string): Setting<T> {
  return { schema, secret: true, about, example };
}

const httpUrlText = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), "must be an http(s) URL");

const httpUrl = httpUrlText.transform((text) => text.replace(/\/+$/, ""));

const commaListAsIs = z
  .string()
  .default("")
  .transform((text) => listed(text));

const commaList = commaListAsIs.transform((items) => items.map((item) => item.toLowerCase()));

function listed(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

const wholeNumber = z
  .string()
  .regex(/^\d+$/, "must be a whole number")
  .transform(Number)
  .refine((n) => n > 0, "must be more than 0");

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_DAYS = 3_650;

/** "30m", "24h" or "31d", in milliseconds. */
const duration = z
  .string()
  .regex(/^\d{1,6}[mhd]$/, "must be like 30m, 24h or 31d")
  .transform((text) => {
    const unit = z.enum(["m", "h", "d"]).parse(text.slice(-1));
    return Number(text.slice(0, -1)) * UNIT_MS[unit];
  })
  .refine((ms) => ms > 0, "must be more than 0")
  .refine((ms) => ms <= LONGEST_DAYS * UNIT_MS.d, `must be at most ${LONGEST_DAYS}d`);

const money = z
  .string()
  .regex(/^\d+(\.\d+)?$/, "must be a number of dollars")
  .transform(Number)
  .refine((n) => n > 0, "must be more than 0");

const hours = z
  .string()
  .regex(/^\d+(\.\d+)?$/, "must be a number of hours")
  .transform(Number)
  .refine((n) => n > 0, "must be more than 0");

const modelName = z.string().regex(/^[A-Za-z0-9@][A-Za-z0-9._:@/-]{0,149}$/, "must be a model's name");

/** "<model>=<input>/<output>" */
const modelPrice = z
  .string()
  .regex(/^[^=\s]+=\d+(\.\d+)?\/\d+(\.\d+)?$/, "must be like model=3/15")
  .transform((text) => {
    const [model = "", price = ""] = text.split("=");
    const [input, output] = price.split("/").map(Number);
    return { model, input: input ?? 0, output: output ?? 0 };
  });

/** Shorter values are in many a page by chance, and hiding them would blank half of it. */
const LEAST_SECRET = 6;

const browserSecrets = z
  .string()
  .default("{}")
  .transform((text, context) => {
    try {
      const parsed: unknown = JSON.parse(text);
      return parsed;
    } catch {
      context.addIssue({ code: "custom", message: "must be JSON" });
      return z.NEVER;
    }
  })
  .pipe(
    z.record(
      z.string().regex(/^[A-Za-z0-9_]+$/),
      z.strictObject({ value: z.string().min(LEAST_SECRET), hosts: z.array(z.string().min(1)).min(1) }),
      'must be like {"NAME": {"value": "…", "hosts": ["example.com"]}}',
    ),
  );

export const SETTINGS = {
  PUBLIC_URL: setting(
    httpUrl,
    "Where people and MCP clients reach this Worker, without a path. The MCP endpoint is this plus /mcp.",
    "https://moltbot.example.workers.dev",
  ),
  CONTROL_UI_URL: setting(
    httpUrl.optional(),
    "Where people reach the gateway's own Control UI: this Worker under a second host name, which must not be PUBLIC_URL's, behind an Access application of ACCESS_AUD. Left out, the Control UI is not served.",
    "https://moltbot-ui.example.com",
  ),
  OIDC_ISSUER: setting(
    // As it is: issuers are compared letter by letter, and some end in a slash.
    httpUrlText,
    "The OpenID issuer that signs people in. For Cloudflare Access for SaaS: https://<team>.cloudflareaccess.com/cdn-cgi/access/sso/oidc/<client id>.",
    "https://team.cloudflareaccess.com/cdn-cgi/access/sso/oidc/abc123",
  ),
  OIDC_CLIENT_ID: setting(z.string().min(1), "The client id the issuer gave this Worker.", "abc123"),
  OIDC_CLIENT_SECRET: secret(z.string().min(1), "The client secret that goes with it.", ""),
  ALLOWED_EMAILS: setting(commaList, "Who may sign in: e-mail addresses, comma-separated.", "me@example.com"),
  ALLOWED_DOMAINS: setting(
    commaList,
    "Who may sign in: whole e-mail domains, comma-separated. With ALLOWED_EMAILS empty too, nobody may.",
    "",
  ),
  ACCESS_TEAM_DOMAIN: setting(
    httpUrl.optional(),
    "The Access team that guards the pages for people. Left out, those pages stay shut.",
    "https://team.cloudflareaccess.com",
  ),
  ACCESS_AUD: setting(
    commaListAsIs,
    "The audience tags of the Access applications in front of those pages, comma-separated.",
    "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2",
  ),
  ACCESS_SERVICE_TOKENS: setting(
    commaListAsIs,
    "Client ids of the Access service tokens that may use the routes for people, comma-separated. Left out, none may.",
    "88bf3b6d86161464f6509f7219099e57.access",
  ),
  MODEL: setting(
    modelName.default("claude-sonnet-4-5"),
    "The model the Moltbot thinks with: `<provider>/<model>`, for example `openai/gpt-5`; a model alone is one of Anthropic's. docs/models.md lists the providers. Takes effect at the next message.",
    "anthropic/claude-sonnet-4-5",
  ),
  MODEL_FALLBACKS: setting(
    z
      .string()
      .default("")
      .transform((text) => listed(text))
      .pipe(z.array(modelName)),
    "Models to ask when that one fails, in this order, comma-separated and named alike. All of one API: docs/models.md.",
    "ai-gateway/anthropic/claude-sonnet-4-5, anthropic/claude-haiku-4-5",
  ),
  MODEL_CONTEXT_TOKENS: setting(wholeNumber.default(200_000), "How many tokens the model's context holds.", "200000"),
  MODEL_MAX_TOKENS: setting(wholeNumber.default(16_000), "The most tokens of one answer.", "16000"),
  MODEL_API: setting(
    z.enum(["completions", "responses"], "must be completions or responses").default("completions"),
    "Which of OpenAI's two APIs the models of OpenAI's kind are asked by.",
    "completions",
  ),
  MODEL_PATIENCE_SECONDS: setting(
    wholeNumber.default(8),
    "How long a provider may be silent before it counts as failed. After 2 seconds the next one is asked beside it.",
    "8",
  ),
  MODEL_DAILY_TOKENS: setting(
    wholeNumber.optional(),
    "Cap: no model is asked any more on a day (UTC) on which so many tokens were used.",
    "2000000",
  ),
  MODEL_DAILY_USD: setting(
    money.optional(),
    "Cap: no model is asked any more on a day (UTC) on which so many dollars were used, by estimate.",
    "5",
  ),
  MODEL_PRICES: setting(
    z
      .string()
      .default("")
      .transform((text) => listed(text))
      .pipe(z.array(modelPrice)),
    "Prices for the estimate, for models it does not know: `<model>=<input>/<output>` in dollars for a million tokens, comma-separated.",
    "@cf/openai/gpt-oss-120b=0.35/0.75",
  ),
  ANTHROPIC_API_KEY: secret(
    z.string().min(1).optional(),
    "Key for Anthropic. Like every key here it stays in the Worker: the container never sees it.",
    "",
  ),
  ANTHROPIC_BASE_URL: setting(
    httpUrl.default("https://api.anthropic.com"),
    "Where the Anthropic Messages API is. Set it for a proxy or a compatible provider; then the key may be absent.",
    "https://api.anthropic.com",
  ),
  OPENAI_API_KEY: secret(z.string().min(1).optional(), "Key for OpenAI.", ""),
  OPENAI_BASE_URL: setting(
    httpUrl.default("https://api.openai.com/v1"),
    "Where OpenAI's API is, with its version.",
    "https://api.openai.com/v1",
  ),
  COMPATIBLE_API_KEY: secret(
    z.string().min(1).optional(),
    "Key for the provider at COMPATIBLE_BASE_URL, if it wants one.",
    "",
  ),
  COMPATIBLE_BASE_URL: setting(
    httpUrl.optional(),
    "Any other provider with an API like OpenAI's, with its version: models named `compatible/<model>`.",
    "https://openrouter.ai/api/v1",
  ),
  AI_GATEWAY_URL: setting(
    httpUrl.optional(),
    "Your Cloudflare AI Gateway, without a provider: models named `ai-gateway/<provider>/<model>`.",
    "https://gateway.ai.cloudflare.com/v1/<account id>/<gateway>",
  ),
  AI_GATEWAY_TOKEN: secret(
    z.string().min(1).optional(),
    "Cloudflare API token for an authenticated AI Gateway (AI Gateway Run; for Workers AI also Workers AI Read).",
    "",
  ),
  AI_GATEWAY_BILLING: setting(
    z.enum(["provider", "cloudflare"], "must be provider or cloudflare").default("provider"),
    "Who bills what goes through AI Gateway: the provider, by its key here or by the key stored in the gateway; or Cloudflare (Unified Billing), with no key at all.",
    "provider",
  ),
  TELEGRAM_BOT_TOKEN: secret(
    z
      .string()
      .regex(/^\d+:[\w-]+$/, "must be a Telegram bot token")
      .optional(),
    "Puts the Moltbot on Telegram. The container gets a placeholder; the Worker adds the token to each call.",
    "",
  ),
  TELEGRAM_API_URL: setting(
    httpUrl.default("https://api.telegram.org"),
    "Where Telegram's Bot API is; a server of your own for larger files.",
    "https://api.telegram.org",
  ),
  SLACK_API_URL: setting(
    httpUrl.default("https://slack.com/api"),
    "Where Slack's Web API is.",
    "https://slack.com/api",
  ),
  SLACK_BOT_TOKEN: secret(
    z
      .string()
      .regex(/^xoxb-/, "must begin with xoxb-")
      .optional(),
    "Slack bot token; with SLACK_APP_TOKEN it puts the Moltbot on Slack. The container gets placeholders.",
    "",
  ),
  SLACK_APP_TOKEN: secret(
    z
      .string()
      .regex(/^xapp-/, "must begin with xapp-")
      .optional(),
    "Slack app-level token for Socket Mode (connections:write).",
    "",
  ),
  BRIDGE_URL: setting(
    httpUrl.optional(),
    "Where the container reaches this Worker's bridge, with the token of its start: PUBLIC_URL, for example. Left out, the platform hands over what the container sends to bridge.internal, model.internal and browser.internal.",
    "https://moltbot.example.workers.dev",
  ),
  EGRESS_ALLOW: setting(
    z
      .string()
      .default("")
      .transform((text) => listed(text.toLowerCase()))
      .pipe(
        z.array(
          z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be names such as example.com or *.example.com"),
        ),
      ),
    "The only hosts on the internet that the container may reach, comma-separated; `*.example.com` is every name below it. Left out, all public hosts. Private and metadata addresses are never reached.",
    "registry.npmjs.org, *.example.com",
  ),
  BROWSER_PRIVATE_HOSTS: setting(
    commaList,
    "Hosts (host or host:port, comma-separated) that the browser tools may open although they are private.",
    "",
  ),
  BROWSER_SECRETS: secret(
    browserSecrets,
    "What the browser tools may type for secret:NAME, and on which hosts, as JSON. Never shown to a client.",
    "",
  ),
  SLEEP_AFTER: setting(
    z
      .string()
      .regex(/^(never|\d+[smh])$/, "must be like 10m, 1h or never")
      .default("10m"),
    "How long the container stays up when nobody uses it: a duration such as 10m, or never.",
    "10m",
  ),
  MEMORY_KEEP_ALL: setting(
    duration.prefault("1h"),
    "How long every generation of the memory is kept: a duration such as 30m, 24h or 31d.",
    "1h",
  ),
  MEMORY_KEEP_HOURLY: setting(
    duration.prefault("24h"),
    "How long the last generation of each hour is kept. Not shorter than MEMORY_KEEP_ALL.",
    "24h",
  ),
  MEMORY_KEEP_DAILY: setting(
    duration.prefault("31d"),
    "How long the last generation of each day is kept. Not shorter than MEMORY_KEEP_HOURLY. The present generation always stays.",
    "31d",
  ),
  SANDBOX_MONTHLY_HOURS: setting(
    hours.optional(),
    "Cap: the container is stopped, and not started any more, in a month (UTC) in which it was up for so many hours.",
    "200",
  ),
  EXEC_APPROVAL: setting(
    z.enum(["off", "ask"], "must be off or ask").default("off"),
    "Whether the Moltbot asks a person before it runs a command of its own accord: off or ask. It answers with the command and waits for chat_approve.",
    "off",
  ),
  JOURNAL_DAYS: setting(wholeNumber.default(90), "How many days the journal of calls and logins goes back.", "90"),
  JOURNAL_ENTRIES: setting(
    wholeNumber.default(50_000),
    "The most entries the journal keeps; the oldest go first.",
    "50000",
  ),
} as const satisfies Record<string, Setting>;

type Table = typeof SETTINGS;
type Shape = { [Name in keyof Table]: Table[Name]["schema"] };

/** All settings as one schema. */
export const settingsSchema = z.object(
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets which schema is whose.
  Object.fromEntries(Object.entries(SETTINGS).map(([name, { schema }]) => [name, schema])) as Shape,
);

export type Settings = z.output<typeof settingsSchema>;
