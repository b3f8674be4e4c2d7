import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BODY, startBridge, type TestBridge, WAYS } from "./bridge-stack.ts";
import { startProvider, type TestProvider } from "./provider.ts";

let bridge: TestBridge;
let provider: TestProvider;
beforeAll(async () => {
  [bridge, provider] = await Promise.all([startBridge(), startProvider()]);
});
afterAll(async () => {
  await Promise.all([bridge.close(), provider.close()]);
});
beforeEach(() => {
  provider.asked.length = 0;
});

/** What the transport itself adds, below the request. */
const TRANSPORT = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "accept-encoding",
  "cf-worker",
]);

const ANTHROPIC = { "anthropic-version": "2023-06-01" };
const METADATA = {
  "cf-aig-metadata": JSON.stringify({ app: "moltbot", who: "0123456789abcdef01234567", conversation: "talk" }),
};

interface Mode {
  variables: (url: string) => Record<string, string>;
  /** As the gateway asks. */
  path: string;
  url: string;
  model: string;
  headers: Record<string, string>;
}

const MODES: Record<string, Mode> = {
  Anthropic: {
    variables: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: "sk-ant-key" }),
    path: "/v1/messages",
    url: "/v1/messages",
    model: "claude-sonnet-4-5",
    headers: { ...ANTHROPIC, "x-api-key": "sk-ant-key" },
  },
  "OpenAI, chat completions": {
    variables: (url) => ({ MODEL: "openai/gpt-5", OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: "sk-openai-key" }),
    path: "/chat/completions",
    url: "/v1/chat/completions",
    model: "gpt-5",
    headers: { authorization: "Bearer sk-openai-key" },
  },
  "OpenAI, responses": {
    variables: (url) => ({
      MODEL: "openai/gpt-5",
      MODEL_API: "responses",
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_API_KEY: "sk-openai-key",
    }),
    path: "/responses",
    url: "/v1/responses",
    model: "gpt-5",
    headers: { authorization: "Bearer sk-openai-key" },
  },
  "a compatible provider": {
    variables: (url) => ({
      MODEL: "compatible/anthropic/claude-sonnet-4.5",
      COMPATIBLE_BASE_URL: `${url}/api/v1/`,
      COMPATIBLE_API_KEY: "sk-or-key",
    }),
    path: "/chat/completions",
    url: "/api/v1/chat/completions",
    model: "anthropic/claude-sonnet-4.5",
    headers: { authorization: "Bearer sk-or-key" },
  },
  "a compatible provider without a key": {
    variables: (url) => ({ MODEL: "compatible/llama", COMPATIBLE_BASE_URL: url }),
    path: "/chat/completions",
    url: "/chat/completions",
    model: "llama",
    headers: {},
  },
  "AI Gateway with the provider's key": {
    variables: (url) => ({
      MODEL: "ai-gateway/anthropic/claude-sonnet-4-5",
      AI_GATEWAY_URL: `${url}/v1/account/gateway`,
      AI_GATEWAY_TOKEN: "cf-token",
      ANTHROPIC_API_KEY: "sk-ant-key",
    }),
    path: "/v1/messages",
    url: "/v1/account/gateway/anthropic/v1/messages",
    model: "claude-sonnet-4-5",
    headers: {
      ...ANTHROPIC,
      ...METADATA,
      "x-api-key": "sk-ant-key",
      "cf-aig-authorization": "Bearer cf-token",
      "cf-aig-no-wholesale": "true",
    },
  },
  "AI Gateway with a stored key (BYOK)": {
    variables: (url) => ({
      MODEL: "ai-gateway/openai/gpt-5",
      AI_GATEWAY_URL: `${url}/v1/account/gateway`,
      AI_GATEWAY_TOKEN: "cf-token",
    }),
    path: "/chat/completions",
    url: "/v1/account/gateway/openai/chat/completions",
    model: "gpt-5",
    headers: { ...METADATA, "cf-aig-authorization": "Bearer cf-token", "cf-aig-no-wholesale": "true" },
  },
  "AI Gateway with Unified Billing": {
    variables: (url) => ({
      MODEL: "ai-gateway/anthropic/claude-sonnet-4-5",
      AI_GATEWAY_URL: `${url}/v1/account/gateway`,
      AI_GATEWAY_TOKEN: "cf-token",
      AI_GATEWAY_BILLING: "cloudflare",
      // There for another model; here it would make Anthropic bill the call.
      ANTHROPIC_API_KEY: "sk-ant-key",
    }),
    path: "/v1/messages",
    url: "/v1/account/gateway/anthropic/v1/messages",
    model: "claude-sonnet-4-5",
    headers: { ...ANTHROPIC, ...METADATA, "cf-aig-authorization": "Bearer cf-token" },
  },
  "AI Gateway's API for all providers": {
    variables: (url) => ({
      MODEL: "ai-gateway/compat/google-ai-studio/gemini-3-pro",
      AI_GATEWAY_URL: `${url}/v1/account/gateway`,
      AI_GATEWAY_TOKEN: "cf-token",
      AI_GATEWAY_BILLING: "cloudflare",
    }),
    path: "/chat/completions",
    url: "/v1/account/gateway/compat/chat/completions",
    model: "google-ai-studio/gemini-3-pro",
    headers: { ...METADATA, "cf-aig-authorization": "Bearer cf-token" },
  },
  "Workers AI through AI Gateway": {
    variables: (url) => ({
      MODEL: "ai-gateway/workers-ai/@cf/openai/gpt-oss-120b",
      AI_GATEWAY_URL: `${url}/v1/account/gateway`,
      AI_GATEWAY_TOKEN: "cf-token",
    }),
    path: "/chat/completions",
    url: "/v1/account/gateway/workers-ai/v1/chat/completions",
    model: "@cf/openai/gpt-oss-120b",
    headers: {
      ...METADATA,
      authorization: "Bearer cf-token",
      "cf-aig-authorization": "Bearer cf-token",
      "cf-aig-no-wholesale": "true",
    },
  },
};

describe.each(WAYS)("a request at egress that came %s,", (way) => {
  it.each(Object.entries(MODES))(
    "to %s: exact URL and headers, the body untouched but for the model",
    async (_name, mode) => {
      const { ask } = bridge.fresh(mode.variables(provider.url), way);
      const answer = await ask(`/model${mode.path}`, BODY, {
        // What the container says beside is none of the provider's business.
        headers: {
          "cf-aig-authorization": "Bearer mine",
          cookie: "a=b",
          "user-agent": "agent",
          "x-forwarded-for": "1.2.3.4",
        },
      });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain("hello");
      expect(provider.asked).toHaveLength(1);
      const [asked] = provider.asked;
      expect(asked?.url).toBe(mode.url);
      expect(asked?.body).toBe(BODY.replace('"moltbot"', JSON.stringify(mode.model)));
      const headers = Object.entries(asked?.headers ?? {}).filter(([name]) => !TRANSPORT.has(name));
      expect(Object.fromEntries(headers)).toEqual({
        "content-type": "application/json",
        accept: "text/event-stream",
        ...mode.headers,
      });
      // Of the provider's headers, only those that mean something to the gateway come back.
      expect(answer.headers.get("x-account")).toBeNull();
    },
  );

  it("to Workers AI by the binding: the model and the input, with no key at all", async () => {
    const variables = {
      MODEL: "workers-ai/@cf/openai/gpt-oss-120b",
      AI_URL: provider.url,
      AI_GATEWAY_URL: "https://gateway.ai.cloudflare.com/v1/account/my-gateway",
    };
    const { ask } = bridge.fresh(variables, way);
    const answer = await ask("/model/chat/completions", '{"model":"moltbot","messages":[],"stream":true}');
    expect(await answer.text()).toContain("hello");
    expect(JSON.parse(provider.asked[0]?.body ?? "")).toEqual({
      model: "@cf/openai/gpt-oss-120b",
      messages: [],
      stream: true,
      gateway: { id: "my-gateway", metadata: { app: "moltbot" } },
    });
  });

  it("keeps the gateway's own version and betas of the Messages API", async () => {
    const { ask } = bridge.fresh({ ANTHROPIC_BASE_URL: provider.url }, way);
    const headers = { "anthropic-version": "2024-01-01", "anthropic-beta": "some-beta" };
    await (await ask("/model/v1/messages", BODY, { headers })).text();
    expect(provider.asked[0]?.headers).toMatchObject(headers);
  });

  it("is only what the API has: no other path, method or container gets through", async () => {
    const { ask } = bridge.fresh({ ANTHROPIC_BASE_URL: provider.url }, way);
    expect((await ask("/model/v1/models")).status).toBe(404);
    expect((await ask("/model/chat/completions")).status).toBe(404);
    expect((await ask("/model/v1/messages", BODY, { method: "PUT" })).status).toBe(404);
    const others = {
      "by the token": { "x-api-key": "of-another-start" },
      "by interception": { "x-container": "another" },
    };
    expect((await ask("/model/v1/messages", BODY, { headers: others[way] })).status).toBe(401);
    expect((await ask("/model/v1/messages", "{}")).status).toBe(400);
    expect(provider.asked).toHaveLength(0);
  });

  it("names the new setting for each old name, and goes where the old ones said", async () => {
    const variables = {
      AI_GATEWAY_BASE_URL: `${provider.url}/v1/account/gateway/anthropic/`,
      AI_GATEWAY_API_KEY: "sk-ant-old-name",
    };
    const { ask } = bridge.fresh(variables, way);
    await (await ask("/model/v1/messages")).text();
    expect(provider.asked[0]?.url).toBe("/v1/account/gateway/anthropic/v1/messages");
    expect(provider.asked[0]?.headers["x-api-key"]).toBe("sk-ant-old-name");
  });
});
