/** One thing a script asks for. `wrong` is a line that looks like a step but cannot be one. */
export type Step =
  | { verb: "run"; command: string }
  | { verb: "remember"; text: string }
  | { verb: "browse"; url: string }
  | { verb: "tool"; name: string; input: Record<string, unknown> }
  | { verb: "picture"; path: string }
  | { verb: "say"; text: string }
  | { verb: "words"; count: number; pace: number }
  | { verb: "fail"; status: number }
  | { verb: "drop" }
  | { verb: "wrong"; message: string };

/** Milliseconds between the words of `slow:`. */
const SLOW_PACE = 100;
const MOST_SLOW_WORDS = 3_000;
const MOST_WORDS = 200_000;

const VERBS: Record<string, (argument: string) => Step> = {
  run: (command) => (command === "" ? wrong("run: wants a command") : { verb: "run", command }),
  remember: (text) => (text === "" ? wrong("remember: wants a text") : { verb: "remember", text }),
  browse: (url) =>
    URL.canParse(url) ? { verb: "browse", url } : wrong("browse: wants an address such as https://example.com"),
  picture: (path) => (path === "" ? wrong("picture: wants the path of an image file") : { verb: "picture", path }),
  say: (text) => ({ verb: "say", text }),
  tool,
  slow: (count) => words("slow", count, SLOW_PACE, MOST_SLOW_WORDS),
  long: (count) => words("long", count, 0, MOST_WORDS),
  fail: (status) =>
    /^[45]\d\d$/.test(status)
      ? { verb: "fail", status: Number(status) }
      : wrong("fail: wants an HTTP status from 400 to 599"),
  drop: () => ({ verb: "drop" }),
};

/** The steps of a message, in order; none when no line starts with a verb. Other lines are only prose. */
export function parseScript(text: string): Step[] {
  return text.split("\n").flatMap((line) => {
    const [, verb = "", argument = ""] = /^\s*([a-z]+):(?:\s+(.*))?$/.exec(line) ?? [];
    const step = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    return step ? [step(argument.trim())] : [];
  });
}

export function scriptVerbs(): string[] {
  return Object.keys(VERBS);
}

function tool(argument: string): Step {
  const [, name = "", json = ""] = /^([A-Za-z0-9_-]+)(?:\s+(.*))?$/.exec(argument) ?? [];
  const input = jsonObject(json === "" ? "{}" : json);
  if (name === "" || input === undefined)
    return wrong('tool: wants a name and a JSON object, such as tool: read {"path":"USER.md"}');
  return { verb: "tool", name, input };
}

function words(verb: string, argument: string, pace: number, most: number): Step {
  const count = /^\d{1,9}$/.test(argument) ? Number(argument) : 0;
  if (count < 1 || count > most) return wrong(`${verb}: wants a number of words from 1 to ${most}`);
  return { verb: "words", count, pace };
}

function wrong(message: string): Step {
  return { verb: "wrong", message };
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
