import { describe, expect, test } from "vitest";
import { gatewayConfig, gatewayEnv, type GatewayOptions } from "../../src/gateway/config.ts";

const OPTIONS: GatewayOptions = {
  modelBaseUrl: "http://bridge.internal/model",
  model: {
    id: "some-model",
    api: "anthropic-messages",
    contextWindow: 200_000,
    maxTokens: 8_192,
    input: ["text", "image"],
  },
  execApproval: "off",
  allowedOrigins: ["https://bot.example.com"],
};

describe("the gateway's configuration", () => {
  test("names secrets and holds none", () => {
    const channels = { telegram: { apiRoot: "http://telegram" }, slack: { plugin: "/slack" } };
    const text = JSON.stringify(gatewayConfig({ ...OPTIONS, ...channels }));
    const placeholders = { telegram: "0:b-token", slackBot: "xoxb-b-token", slackApp: "xapp-b-token" };
    const env = gatewayEnv({ gatewayToken: "g-token", bridgeToken: "b-token", placeholders });
    const named = [...text.matchAll(/"source":"env","provider":"default","id":"(\w+)"/g)].map(([, name = ""]) => name);
    expect(named.map((name) => Object(env)[name])).toEqual(["b-token", ...Object.values(placeholders)]);
    expect(text).not.toMatch(/-token|\$\{/);
  });

  test("has no model called without being asked", () => {
    expect(gatewayConfig(OPTIONS)).toMatchObject({
      agents: { defaults: { utilityModel: "", heartbeat: { every: "0m" } } },
      plugins: { entries: { "memory-core": { config: { dreaming: { enabled: false } } } } },
      skills: { workshop: { autonomous: { mode: "off" } } },
    });
  });

  test("allows the plugins it configures, and no others", () => {
    for (const options of [
      OPTIONS,
      { ...OPTIONS, browser: { cdpUrl: "http://127.0.0.1:9222", skills: "/opt/moltbot/skills" } },
    ]) {
      const { allow, entries } = Object(gatewayConfig(options)["plugins"]);
      expect(Object.keys(entries).toSorted()).toEqual(allow.toSorted());
    }
  });

  test("has commands asked about only when that is set", () => {
    expect(gatewayConfig(OPTIONS)["tools"]).not.toHaveProperty("exec");
    expect(gatewayConfig({ ...OPTIONS, execApproval: "ask" })).toMatchObject({ tools: { exec: { mode: "ask" } } });
  });

  test("gives the bot a browser only when there is one", () => {
    expect(gatewayConfig(OPTIONS)).toMatchObject({ browser: { enabled: false } });
    expect(
      gatewayConfig({ ...OPTIONS, browser: { cdpUrl: "http://127.0.0.1:9222", skills: "/opt/moltbot/skills" } }),
    ).toMatchObject({
      browser: { profiles: { remote: { cdpUrl: "http://127.0.0.1:9222", attachOnly: true } } },
    });
  });
});
