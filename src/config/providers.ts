import { type Price, priceOf } from "./prices.ts";
import type { Settings } from "./settings.ts";

/**
 * The three APIs the gateway can ask by. Bodies are passed on, not translated: every model of one list has to be
 * reached by the same one.
 */
export type ModelApi = "anthropic-messages" | "openai-completions" | "openai-responses";

/** One model of the list, with all that is needed to ask it. */
export interface ModelTarget {
  /** As people name it and are shown it: "anthropic/claude-sonnet-4-5". */
  name: string;
  /** As the provider knows it. */
  model: string;
  api: ModelApi;
  /** For an estimate; undefined when nobody has said. */
  price: Price | undefined;
  via:
    | {
        kind: "http";
        /** What the API's own path is added to. */
        base: string;
        /** The keys; everything else is added by the bridge. */
        headers: Record<string, string>;
        /** AI Gateway, which keeps facts about a call for its analytics. */
        metadata: boolean;
      }
    /** The Worker's own AI binding, which needs no key. */
    | { kind: "binding"; gateway: string | undefined };
}

interface Provider {
  about: string;
  /** Of OpenAI's kind: asked by the API that MODEL_API names. */
  apis: "anthropic" | "openai";
  /** What is missing before it can be asked, in words for the owner. */
  missing(settings: Settings): string | undefined;
  via(settings: Settings): ModelTarget["via"];
}

/** Every provider, once. A model's name begins with one of these. */
export const PROVIDERS = {
  anthropic: {
    about: "Anthropic's own API, or one like it at ANTHROPIC_BASE_URL.",
    apis: "anthropic",
    missing: (s) =>
      s.ANTHROPIC_API_KEY === undefined && s.ANTHROPIC_BASE_URL === "https://api.anthropic.com"
        ? "ANTHROPIC_API_KEY is missing"
        : undefined,
    via: (s) => http(s.ANTHROPIC_BASE_URL, apiKey(s.ANTHROPIC_API_KEY)),
  },
  openai: {
    about: "OpenAI's own API.",
    apis: "openai",
    missing: (s) =>
      s.OPENAI_API_KEY === undefined && s.OPENAI_BASE_URL === "https://api.openai.com/v1"
        ? "OPENAI_API_KEY is missing"
        : undefined,
    via: (s) => http(s.OPENAI_BASE_URL, bearer(s.OPENAI_API_KEY)),
  },
  compatible: {
    about: "Any other provider with an API like OpenAI's, at COMPATIBLE_BASE_URL.",
    apis: "openai",
    missing: (s) => (s.COMPATIBLE_BASE_URL === undefined ? "COMPATIBLE_BASE_URL is missing" : undefined),
    via: (s) => http(s.COMPATIBLE_BASE_URL ?? "", bearer(s.COMPATIBLE_API_KEY)),
  },
  "workers-ai": {
    about: "Workers AI by the Worker's AI binding: no key. With AI_GATEWAY_URL its calls are seen there too.",
    apis: "openai",
    missing: () => undefined,
    via: (s) => ({ kind: "binding", gateway: s.AI_GATEWAY_URL?.split("/").at(-1) }),
  },
  "ai-gateway/anthropic": {
    about: "Anthropic through Cloudflare AI Gateway.",
    apis: "anthropic",
    missing: gatewayMissing,
    via: (s) => aiGateway(s, "/anthropic", apiKey(ownKey(s, s.ANTHROPIC_API_KEY))),
  },
  "ai-gateway/openai": {
    about: "OpenAI through Cloudflare AI Gateway.",
    apis: "openai",
    missing: gatewayMissing,
    via: (s) => aiGateway(s, "/openai", bearer(ownKey(s, s.OPENAI_API_KEY))),
  },
  "ai-gateway/workers-ai": {
    about: "Workers AI through Cloudflare AI Gateway; AI_GATEWAY_TOKEN is its key too.",
    apis: "openai",
    missing: (s) => gatewayMissing(s) ?? (s.AI_GATEWAY_TOKEN === undefined ? "AI_GATEWAY_TOKEN is missing" : undefined),
    via: (s) => aiGateway(s, "/workers-ai/v1", bearer(s.AI_GATEWAY_TOKEN)),
  },
  "ai-gateway/compat": {
    about: "Any provider that AI Gateway translates OpenAI's API for; the model is `<provider>/<model>` in turn.",
    apis: "openai",
    missing: gatewayMissing,
    via: (s) => aiGateway(s, "/compat", bearer(ownKey(s, s.COMPATIBLE_API_KEY))),
  },
} as const satisfies Record<string, Provider>;

const table: [string, Provider][] = Object.entries(PROVIDERS);

/** The models in the order they are asked, and what is wrong with the list. */
export function modelTargets(settings: Settings): { targets: ModelTarget[]; problems: string[] } {
  const named = [settings.MODEL, ...settings.MODEL_FALLBACKS].map((text) => locate(text));
  const problems = named.flatMap(({ provider }) => provider.missing(settings) ?? []);
  const targets = named.map(({ id, provider, model }): ModelTarget => {
    const openai = settings.MODEL_API === "responses" ? "openai-responses" : "openai-completions";
    const api = provider.apis === "anthropic" ? "anthropic-messages" : openai;
    return {
      name: `${id}/${model}`,
      model,
      api,
      price: priceOf(model, settings.MODEL_PRICES),
      via: provider.via(settings),
    };
  });
  const unpriced = targets.find(({ price }) => price === undefined);
  if (unpriced && settings.MODEL_DAILY_USD !== undefined) {
    problems.push(`MODEL_DAILY_USD needs the price of ${unpriced.name} in MODEL_PRICES`);
  }
  const other = targets.find(({ api }) => api !== targets[0]?.api);
  if (other) {
    problems.push(
      `MODEL_FALLBACKS has ${other.name}, which is asked by another API than MODEL: ${other.api} is not translated to ${targets[0]?.api}`,
    );
  }
  return { targets, problems: [...new Set(problems)] };
}

/** The longest provider that the name begins with; without one it is Anthropic's. */
function locate(text: string): { id: string; provider: Provider; model: string } {
  const [id, provider] = table
    .filter(([name]) => text.startsWith(`${name}/`))
    .toSorted(([a], [b]) => b.length - a.length)[0] ?? ["anthropic", PROVIDERS.anthropic];
  return { id, provider, model: text.startsWith(`${id}/`) ? text.slice(id.length + 1) : text };
}

function http(base: string, headers: Record<string, string>): ModelTarget["via"] {
  return { kind: "http", base, headers, metadata: false };
}

function aiGateway(settings: Settings, path: string, provider: Record<string, string>): ModelTarget["via"] {
  const headers = { ...provider };
  if (settings.AI_GATEWAY_TOKEN !== undefined) headers["cf-aig-authorization"] = `Bearer ${settings.AI_GATEWAY_TOKEN}`;
  // Without this, a gateway that has no key stored would bill the call to the Cloudflare account.
  if (settings.AI_GATEWAY_BILLING === "provider") headers["cf-aig-no-wholesale"] = "true";
  return { kind: "http", base: `${settings.AI_GATEWAY_URL ?? ""}${path}`, headers, metadata: true };
}

function gatewayMissing(settings: Settings): string | undefined {
  if (settings.AI_GATEWAY_URL === undefined) return "AI_GATEWAY_URL is missing";
  if (settings.AI_GATEWAY_BILLING === "cloudflare" && settings.AI_GATEWAY_TOKEN === undefined) {
    return "AI_GATEWAY_TOKEN is missing, which Unified Billing needs";
  }
  return undefined;
}

/** With Unified Billing no provider's key is sent, or the provider would bill. */
function ownKey(settings: Settings, key: string | undefined): string | undefined {
  return settings.AI_GATEWAY_BILLING === "cloudflare" ? undefined : key;
}

function apiKey(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { "x-api-key": key };
}

function bearer(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}
