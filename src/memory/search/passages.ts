/** A piece of a text that is found and shown as one. */
export interface Passage {
  text: string;
  /** Its first line in the file, from 1. */
  line: number;
  /** When it was said, ISO 8601; of conversations only. */
  at?: string;
}

const LONGEST = 2_000;
/** Above each message of a conversation as the keeper writes it. */
const MESSAGE = /^## (\S+) (?:user|assistant)$/;
const HEADING = /^#{1,6} /;

/** A note at its headings and blank lines, a conversation at its messages; nothing longer than a screen. */
export function passages(text: string, kind: "note" | "conversation"): Passage[] {
  const found: Passage[] = [];
  let lines: string[] = [];
  let [first, length] = [1, 0];
  let at: string | undefined;
  const end = (next: number) => {
    const whole = lines.join("\n").trim();
    if (whole !== "") found.push({ text: whole, line: first, ...(at ? { at } : {}) });
    [lines, first, length] = [[], next, 0];
  };
  for (const [index, line] of text.split("\n").entries()) {
    const message = kind === "conversation" ? MESSAGE.exec(line) : null;
    const isBreak = kind === "note" ? HEADING.test(line) : message !== null;
    if (isBreak || (line === "" && length > LONGEST / 2) || length > LONGEST) end(index + 1);
    if (message) at = message[1];
    for (let from = 0; from === 0 || from < line.length; from += LONGEST) {
      if (from > 0) end(index + 1);
      lines.push(line.slice(from, from + LONGEST));
    }
    length += line.length + 1;
  }
  end(0);
  return found;
}
