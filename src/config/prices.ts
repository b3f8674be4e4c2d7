/** Dollars for a million tokens. */
export interface Price {
  input: number;
  output: number;
  /** Input that was read from the provider's cache. */
  cached: number;
}

/**
 * List prices, by the beginning of a model's name; the longest that fits counts. For an estimate: they change, long
 * prompts and writing to a cache cost more, and contracts differ. MODEL_PRICES overrides them.
 */
const LIST: Record<string, Price> = {
  "claude-opus-4": { input: 15, output: 75, cached: 1.5 },
  "claude-opus-4-5": { input: 5, output: 25, cached: 0.5 },
  "claude-sonnet-4": { input: 3, output: 15, cached: 0.3 },
  "claude-haiku-4-5": { input: 1, output: 5, cached: 0.1 },
  "claude-3-5-haiku": { input: 0.8, output: 4, cached: 0.08 },
  "gpt-5": { input: 1.25, output: 10, cached: 0.125 },
  "gpt-5-mini": { input: 0.25, output: 2, cached: 0.025 },
  "gpt-5-nano": { input: 0.05, output: 0.4, cached: 0.005 },
  "gpt-4.1": { input: 2, output: 8, cached: 0.5 },
  "gpt-4.1-mini": { input: 0.4, output: 1.6, cached: 0.1 },
  "gpt-4o": { input: 2.5, output: 10, cached: 1.25 },
  "gpt-4o-mini": { input: 0.15, output: 0.6, cached: 0.075 },
};

/** What a model costs; undefined when nobody has said. `model` may have its provider's name before it. */
export function priceOf(
  model: string,
  own: readonly { model: string; input: number; output: number }[],
): Price | undefined {
  const said = own.find((price) => price.model === model || model.endsWith(`/${price.model}`));
  if (said) return { input: said.input, output: said.output, cached: said.input };
  const name = model.startsWith("@") ? model : model.slice(model.lastIndexOf("/") + 1);
  const fits = Object.keys(LIST).filter((prefix) => name === prefix || name.startsWith(`${prefix}-`));
  const longest = fits.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : LIST[longest];
}
