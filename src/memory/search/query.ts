const MOST_WORDS = 16;

/**
 * A person's words as an FTS5 query: every word quoted, so that none of them is an operator; what stands in double quotes is a
 * phrase. All of them have to be there, or, as the second try, any. Undefined when there is no word.
 */
export function ftsQueries(text: string): { all: string; any: string } | undefined {
  const terms: string[] = [];
  for (const [, phrase, rest] of text.matchAll(/"([^"]*)"|([^"]+)/g)) {
    if (phrase !== undefined) {
      const inside = words(phrase);
      if (inside.length > 0) terms.push(`"${inside.join(" ")}"`);
    } else terms.push(...words(rest ?? "").map((word) => `"${word}"`));
  }
  const kept = terms.slice(0, MOST_WORDS);
  return kept.length === 0 ? undefined : { all: kept.join(" "), any: kept.join(" OR ") };
}

function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}_]+/gu) ?? [];
}
