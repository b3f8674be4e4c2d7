import { LEGACY } from "../src/config/legacy.ts";
import { PROVIDERS } from "../src/config/providers.ts";

/** docs/models.md. */
export function modelsPage(): string {
  const providers = Object.entries(PROVIDERS).map(
    ([name, { about, apis }]) =>
      `| \`${name}/<model>\` | ${apis === "anthropic" ? "Anthropic" : "OpenAI"} | ${about} |`,
  );
  const legacy = Object.entries(LEGACY).map(([name, { instead }]) => `| \`${name}\` | ${instead} |`);
  return `# Models

Made from \`src/config/providers.ts\` and \`src/config/legacy.ts\` by \`npm run generate\`.

The container's only model endpoint is the Worker. It asks for one model, \`moltbot\`; the Worker replaces that name with the
one you set, adds the key, and passes everything else on as it is. So another model or provider is a setting: it takes effect
at the next message, and the bot keeps its memory and its conversations. A change from one API to the other, or of
\`MODEL_CONTEXT_TOKENS\` and \`MODEL_MAX_TOKENS\`, is handed to the running gateway before it gets the next message.

\`\`\`sh
MODEL=anthropic/claude-sonnet-4-5
MODEL_FALLBACKS=ai-gateway/anthropic/claude-sonnet-4-5,anthropic/claude-haiku-4-5
\`\`\`

| Name | API | |
| --- | --- | --- |
${providers.join("\n")}

A name without a provider is one of Anthropic's. All models of one list are asked by the same API, Anthropic's or OpenAI's:
the Worker does not translate between them, and refuses to start with a list that mixes them. \`MODEL_API=responses\` asks the
models of OpenAI's kind by the Responses API in place of chat completions.

## Who pays, through AI Gateway

| You want | Set |
| --- | --- |
| the provider to bill, by its key | \`AI_GATEWAY_URL\`, the provider's key, and \`AI_GATEWAY_TOKEN\` when the gateway is authenticated |
| the provider to bill, by a key stored in the gateway (BYOK) | \`AI_GATEWAY_URL\`, \`AI_GATEWAY_TOKEN\`, and no key |
| Cloudflare to bill (Unified Billing) | \`AI_GATEWAY_URL\`, \`AI_GATEWAY_TOKEN\`, \`AI_GATEWAY_BILLING=cloudflare\` |

In the first two, calls carry \`cf-aig-no-wholesale\`, so that a gateway without a key refuses instead of billing Cloudflare's
way. Calls through AI Gateway carry the conversation and a digest of the person for its analytics.

Workers AI by the binding needs no key. The model has to answer in OpenAI's form, as the newer ones do; older ones are reached
as \`ai-gateway/workers-ai/<model>\`. On one machine there is no binding.

## When a provider fails

- An error (401, 402, 403, 404, 408, 429, 5xx), a broken connection, garbage, or an error within the stream before the first
  word: the next one is asked at once.
- Two seconds of silence: the next one is asked beside it, and the first to speak is heard. Who shows that it lives may think
  for \`MODEL_PATIENCE_SECONDS\` before it gets company, and for a minute in all.
- After the first word nothing is repeated. A stream that breaks off ends in an error that says so.
- When all have failed within a few seconds, those whose trouble may pass are asked once more; then the message fails with one
  error that names each. The gateway is told in a way that keeps it from trying again by itself.
- Who failed twice in a row, or for a reason that will not pass, is asked last for half a minute, then longer, up to five. Who
  sent \`retry-after\` is not asked before.
- A request that is itself at fault (400, 413, 422) is refused as the provider refused it: the gateway knows what to do when a
  conversation has grown too long.

The answer says which model it came from.

## What it costs

\`bot_status\` shows today's calls, tokens, an estimate in dollars, and times. The estimate goes by list prices that are written
down in \`src/config/prices.ts\`; \`MODEL_PRICES\` overrides them. With \`MODEL_DAILY_TOKENS\` or \`MODEL_DAILY_USD\` no model is
asked any more once the day's (UTC) total is reached. A call that runs when it is reached is not cut off, and a provider that
does not report usage is not counted.

## Old names

Settings of moltworker are understood. The log names the new ones.

| Old | New |
| --- | --- |
${legacy.join("\n")}
`;
}
