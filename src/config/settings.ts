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
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );

const commaList = commaListAsIs.transform((items) => items.map((item) => item.toLowerCase()));

const wholeNumber = (fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .default(String(fallback))
    .transform(Number)
    .refine((n) => n > 0, "must be more than 0");

export const SETTINGS = {
  PUBLIC_URL: setting(
    httpUrl,
    "Where people and MCP clients reach this Worker, without a path. The MCP endpoint is this plus /mcp.",
    "https://moltbot.example.workers.dev",
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
  ANTHROPIC_API_KEY: secret(
    z.string().min(1).optional(),
    "Key for the model provider. Stays in the Worker: the container never sees it.",
    "",
  ),
  ANTHROPIC_BASE_URL: setting(
    httpUrl.default("https://api.anthropic.com"),
    "Where the Anthropic Messages API is. Set it for a proxy or a compatible provider; then the key may be absent.",
    "https://api.anthropic.com",
  ),
  MODEL: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,99}$/, "must be a model id")
      .default("claude-sonnet-4-5"),
    "The model the Moltbot thinks with, as the provider names it.",
    "claude-sonnet-4-5",
  ),
  MODEL_CONTEXT_TOKENS: setting(wholeNumber(200_000), "How many tokens the model's context holds.", "200000"),
  MODEL_MAX_TOKENS: setting(wholeNumber(16_000), "The most tokens of one answer.", "16000"),
  BRIDGE_URL: setting(
    httpUrl.optional(),
    "Where the container reaches this Worker. Left out, it is PUBLIC_URL.",
    "https://moltbot.example.workers.dev",
  ),
  SLEEP_AFTER: setting(
    z
      .string()
      .regex(/^(never|\d+[smh])$/, "must be like 10m, 1h or never")
      .default("10m"),
    "How long the container stays up when nobody uses it: a duration such as 10m, or never.",
    "10m",
  ),
  EXEC_APPROVAL: setting(
    z.enum(["off", "ask"], "must be off or ask").default("off"),
    "Whether the Moltbot asks a person before it runs a command of its own accord: off or ask. It answers with the command and waits for chat_approve.",
    "off",
  ),
  JOURNAL_DAYS: setting(wholeNumber(90), "How many days the journal of calls and logins goes back.", "90"),
  JOURNAL_ENTRIES: setting(wholeNumber(50_000), "The most entries the journal keeps; the oldest go first.", "50000"),
} as const satisfies Record<string, Setting>;

type Table = typeof SETTINGS;
type Shape = { [Name in keyof Table]: Table[Name]["schema"] };

/** All settings as one schema. */
export const settingsSchema = z.object(
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets which schema is whose.
  Object.fromEntries(Object.entries(SETTINGS).map(([name, { schema }]) => [name, schema])) as Shape,
);

export type Settings = z.output<typeof settingsSchema>;
