import { expect, test } from "vitest";
import { transcript } from "../../local/client/transcript.ts";

function printed(pieces: string[], final: string): { out: string; aside: string[] } {
  let out = "";
  const aside: string[] = [];
  const shown = transcript(
    (text) => {
      out += text;
    },
    (line) => void aside.push(line),
  );
  for (const piece of pieces) {
    if (piece.startsWith("⚙ ")) shown.step(piece.slice(2));
    else shown.text(piece);
  }
  shown.end({ run_id: "r", status: "done", cursor: 0, text: final });
  return { out, aside };
}

test("prints pieces as they come and ends the line", () => {
  expect(printed(["Hel", "lo"], "Hello").out).toBe("Hello\n");
});

test("adds what did not come as a piece", () => {
  expect(printed([], "Hello").out).toBe("Hello\n");
  expect(printed(["Hel"], "Hello").out).toBe("Hello\n");
});

test("prints the final answer once when words came before a step", () => {
  expect(printed(["Wait. ", "⚙ exec: ls", "Two files."], "Two files.")).toEqual({
    out: "Wait. \nTwo files.\n",
    aside: ["⚙ exec: ls"],
  });
});

test("prints the final answer below when what was shown has been replaced", () => {
  expect(printed(["Draft"], "Better").out).toBe("Draft\nBetter\n");
});

test("prints nothing for an answer without text", () => {
  expect(printed([], "").out).toBe("");
});
