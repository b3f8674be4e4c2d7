const MOST_WORDS = 16;

/**
 * A person's words as FTS5 terms: every word quoted, so that none of them is an operator; what stands in double quotes is a
 * phrase.
 */
export function ftsTerms(text: string): string[] {
  const terms: string[] = [];
  for (const [, phrase, rest] of text.matchAll(/"([^"]*)"|([^"]+)/g)) {
    if (phrase !== undefined) {
      const inside = words(phrase);
      if (inside.length > 0) terms.push(`"${inside.join(" ")}"`);
    } else terms.push(...words(rest ?? "").map((word) => `"${word}"`));
  }
  return [...new Set(terms)].slice(0, MOST_WORDS);
}

export const allOf = (terms: readonly string[]): string => terms.join(" AND ");
export const anyOf = (terms: readonly string[]): string => terms.join(" OR ");

function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}_]+/gu) ?? [];
}
