import type { Listener, Run } from "./talk.ts";

/**
 * Prints an answer as it grows: the text to `out`, the steps to `aside` on lines of their own.
 * `end` adds what the progress messages did not bring.
 */
export function transcript(
  out: (text: string) => void,
  aside: (line: string) => void,
): Listener & { end(run: Run): void } {
  let shown = "";
  const breakLine = () => {
    if (shown !== "" && !shown.endsWith("\n")) print("\n");
  };
  const print = (piece: string) => {
    shown += piece;
    out(piece);
  };
  return {
    text: print,
    step(what) {
      breakLine();
      aside(`⚙ ${what}`);
    },
    end({ text = "" }) {
      // What was shown may hold more than the final text, such as words between two steps.
      if (text.startsWith(shown)) print(text.slice(shown.length));
      else if (!shown.trimEnd().endsWith(text.trimEnd())) {
        breakLine();
        print(text);
      }
      breakLine();
    },
  };
}
