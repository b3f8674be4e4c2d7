/**
 * Names that the reference implementation of this idea, moltworker, used for its model. They are understood, so that
 * its users can move without thinking, and each is told its new name in the log.
 */
interface Legacy {
  secret: boolean;
  /** What to use instead, for the hint and docs/settings.md. */
  instead: string;
}

export const LEGACY = {
  AI_GATEWAY_BASE_URL: { secret: false, instead: "AI_GATEWAY_URL, without the provider at its end, and MODEL" },
  AI_GATEWAY_API_KEY: { secret: true, instead: "ANTHROPIC_API_KEY or OPENAI_API_KEY" },
  CF_AI_GATEWAY_ACCOUNT_ID: { secret: false, instead: "AI_GATEWAY_URL" },
  CF_AI_GATEWAY_GATEWAY_ID: { secret: false, instead: "AI_GATEWAY_URL" },
  CF_AI_GATEWAY_MODEL: { secret: false, instead: "MODEL=ai-gateway/<provider>/<model>" },
  CLOUDFLARE_AI_GATEWAY_API_KEY: {
    secret: true,
    instead: "ANTHROPIC_API_KEY, OPENAI_API_KEY or AI_GATEWAY_TOKEN, whichever it is",
  },
} as const satisfies Record<string, Legacy>;

const KEY_OF: Record<string, string> = {
  anthropic: "ANTHROPIC_API_KEY",
  openai: "OPENAI_API_KEY",
  "workers-ai": "AI_GATEWAY_TOKEN",
};

const DEFAULT_MODEL: Record<string, string> = { openai: "gpt-5.2" };

/** The settings that the old names stand for. Takes and gives variables as they are set. */
export function understandLegacy(given: Record<string, unknown>): {
  settings: Record<string, unknown>;
  hints: string[];
} {
  const old = (name: keyof typeof LEGACY) => {
    const value = given[name];
    return typeof value === "string" && value !== "" ? value.replace(/\/+$/, "") : undefined;
  };
  const used = Object.entries(LEGACY).filter(([name]) => given[name] !== undefined && given[name] !== "");
  const hints = used.map(([name, { instead }]) => `${name} is an old name; set ${instead}.`);
  const [account, gateway] = [old("CF_AI_GATEWAY_ACCOUNT_ID"), old("CF_AI_GATEWAY_GATEWAY_ID")];
  if (account !== undefined && gateway !== undefined) {
    const [provider = "", ...model] = (old("CF_AI_GATEWAY_MODEL") ?? "anthropic/claude-sonnet-4-5").split("/");
    const url = `https://gateway.ai.cloudflare.com/v1/${account}/${gateway}`;
    return { settings: behind(url, provider, model.join("/"), old("CLOUDFLARE_AI_GATEWAY_API_KEY")), hints };
  }
  const base = old("AI_GATEWAY_BASE_URL");
  if (base === undefined) return { settings: {}, hints };
  const cut = base.lastIndexOf("/");
  const provider = base.slice(cut + 1);
  const model = DEFAULT_MODEL[provider] ?? "claude-sonnet-4-5";
  return { settings: behind(base.slice(0, cut), provider, model, old("AI_GATEWAY_API_KEY")), hints };
}

function behind(url: string, provider: string, model: string, key: string | undefined): Record<string, unknown> {
  const known = KEY_OF[provider];
  return {
    AI_GATEWAY_URL: url,
    MODEL: known === undefined ? `ai-gateway/compat/${provider}/${model}` : `ai-gateway/${provider}/${model}`,
    [known ?? "COMPATIBLE_API_KEY"]: key,
  };
}
