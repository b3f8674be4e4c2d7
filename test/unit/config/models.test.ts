import { describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config/config.ts";
import { priceOf } from "../../../src/config/prices.ts";
import { redact } from "../../../src/core/redact.ts";

const REQUIRED = {
  PUBLIC_URL: "https://bot.example.com/",
  OIDC_ISSUER: "https://team.example.com/oidc",
  OIDC_CLIENT_ID: "client",
  OIDC_CLIENT_SECRET: "a-client-secret",
  ALLOWED_EMAILS: "me@example.com",
};
const read = (variables: Record<string, string>) => readConfig({ ...REQUIRED, ...variables });

describe("the list of models", () => {
  it("has them in order, each with its provider and its own name", () => {
    const { targets } = read({
      MODEL: "compatible/vendor/model:free",
      MODEL_FALLBACKS: "workers-ai/@cf/openai/gpt-oss-120b, openai/GPT-5",
      COMPATIBLE_BASE_URL: "https://example.com/v1",
      OPENAI_API_KEY: "key-of-openai",
    }).model;
    expect(targets.map(({ name, model, api }) => [name, model, api])).toEqual([
      ["compatible/vendor/model:free", "vendor/model:free", "openai-completions"],
      ["workers-ai/@cf/openai/gpt-oss-120b", "@cf/openai/gpt-oss-120b", "openai-completions"],
      ["openai/GPT-5", "GPT-5", "openai-completions"],
    ]);
  });

  it.each([
    [{}, "ANTHROPIC_API_KEY is missing"],
    [{ MODEL: "openai/gpt-5" }, "OPENAI_API_KEY is missing"],
    [{ MODEL: "compatible/m" }, "COMPATIBLE_BASE_URL is missing"],
    [{ MODEL: "ai-gateway/anthropic/m" }, "AI_GATEWAY_URL is missing"],
    [{ MODEL: "ai-gateway/workers-ai/@cf/m", AI_GATEWAY_URL: "https://g" }, "AI_GATEWAY_TOKEN is missing"],
    [
      { MODEL: "ai-gateway/openai/m", AI_GATEWAY_URL: "https://g", AI_GATEWAY_BILLING: "cloudflare" },
      "AI_GATEWAY_TOKEN is missing, which Unified Billing needs",
    ],
    [
      { ANTHROPIC_API_KEY: "k", MODEL_FALLBACKS: "workers-ai/@cf/m" },
      "openai-completions is not translated to anthropic-messages",
    ],
    [{ MODEL: "workers-ai/@cf/m", MODEL_DAILY_USD: "1" }, "needs the price of workers-ai/@cf/m in MODEL_PRICES"],
    [{ ANTHROPIC_API_KEY: "k", SLACK_BOT_TOKEN: "xoxb-1" }, "SLACK_BOT_TOKEN and SLACK_APP_TOKEN go together"],
  ])("with %j says what is missing", (variables: Record<string, string>, problem) => {
    expect(() => read(variables)).toThrow(problem);
  });
});

describe("the reference implementation's names", () => {
  it("are understood, with a hint to the new ones, and are secrets too", () => {
    const config = read({
      CF_AI_GATEWAY_ACCOUNT_ID: "acc",
      CF_AI_GATEWAY_GATEWAY_ID: "gw",
      CLOUDFLARE_AI_GATEWAY_API_KEY: "sk-openai-by-its-old-name",
      CF_AI_GATEWAY_MODEL: "openai/gpt-5",
    });
    expect(config.model.targets[0]).toMatchObject({
      name: "ai-gateway/openai/gpt-5",
      via: {
        base: "https://gateway.ai.cloudflare.com/v1/acc/gw/openai",
        headers: { authorization: "Bearer sk-openai-by-its-old-name" },
      },
    });
    expect(config.hints).toContain("CF_AI_GATEWAY_ACCOUNT_ID is an old name; set AI_GATEWAY_URL.");
    expect(config.hints).toHaveLength(4);
    expect(redact("x sk-openai-by-its-old-name")).toBe("x [redacted]");
  });

  it.each([
    ["workers-ai/@cf/meta/llama-3.3-70b", "ai-gateway/workers-ai/@cf/meta/llama-3.3-70b"],
    ["google-ai-studio/gemini-3-pro", "ai-gateway/compat/google-ai-studio/gemini-3-pro"],
  ])("lead %s to %s", (old, name) => {
    const { targets } = read({
      CF_AI_GATEWAY_ACCOUNT_ID: "acc",
      CF_AI_GATEWAY_GATEWAY_ID: "gw",
      CLOUDFLARE_AI_GATEWAY_API_KEY: "some-api-key",
      CF_AI_GATEWAY_MODEL: old,
    }).model;
    expect(targets[0].name).toBe(name);
  });

  it("give way to the new ones", () => {
    const { targets } = read({
      AI_GATEWAY_BASE_URL: "https://gateway.example.com/anthropic",
      AI_GATEWAY_API_KEY: "old-key-0123",
      ANTHROPIC_API_KEY: "new-key-0123",
    }).model;
    expect(targets[0]).toMatchObject({ name: "ai-gateway/anthropic/claude-sonnet-4-5" });
    expect(targets[0].via).toMatchObject({ headers: { "x-api-key": "new-key-0123" } });
  });
});

describe("priceOf", () => {
  it("takes the longest beginning that fits, and the owner's word before it", () => {
    expect(priceOf("claude-opus-4-5-20251101", [])).toMatchObject({ input: 5 });
    expect(priceOf("claude-opus-4-1", [])).toMatchObject({ input: 15 });
    expect(priceOf("openai/gpt-5-mini", [])).toMatchObject({ input: 0.25 });
    expect(priceOf("gpt-500", [])).toBeUndefined();
    expect(priceOf("gpt-5", [{ model: "gpt-5", input: 7, output: 8 }])).toEqual({ input: 7, output: 8, cached: 7 });
  });
});
