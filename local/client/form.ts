interface Field {
  name: string;
  type: string;
  value: string;
  checked: boolean;
}

export interface Form {
  action: string;
  method: string;
  fields: Field[];
  buttons: { name: string; value: string }[];
}

/** The first form of an HTML page, as a browser would submit it; `url` is the page's own address. */
export function readForm(html: string, url: string): Form | undefined {
  const [, opening = "", inside = ""] = /<form\b((?:[^>"']|"[^"]*"|'[^']*')*)>([\s\S]*?)<\/form>/i.exec(html) ?? [];
  if (inside === "") return undefined;
  const form = attributesOf(opening);
  const fields: Field[] = [];
  const buttons: Form["buttons"] = [];
  for (const [, tag = "", text = ""] of inside.matchAll(/<(input|button)\b((?:[^>"']|"[^"]*"|'[^']*')*)>/gi)) {
    const attributes = attributesOf(text);
    const name = attributes.get("name") ?? "";
    const type = (attributes.get("type") ?? (tag.toLowerCase() === "button" ? "submit" : "text")).toLowerCase();
    if (type === "submit") buttons.push({ name, value: attributes.get("value") ?? "" });
    else if (name !== "") {
      const value = attributes.get("value") ?? (type === "checkbox" ? "on" : "");
      fields.push({ name, type, value, checked: attributes.has("checked") });
    }
  }
  const action = new URL(form.get("action") ?? "", url).toString();
  return { action, method: (form.get("method") ?? "get").toUpperCase(), fields, buttons };
}

/** What a page says: its alert if it has one, else its headline. */
export function messageOf(html: string): string | undefined {
  const alert = /<(\w+)\b[^>]*\brole="alert"[^>]*>([\s\S]*?)<\/\1>/i.exec(html)?.[2];
  const text = alert ?? /<h1\b[^>]*>([\s\S]*?)<\/h1>/i.exec(html)?.[1];
  return text === undefined ? undefined : decoded(text.replace(/<[^>]*>/g, "")).trim();
}

function attributesOf(text: string): Map<string, string> {
  const found = text.matchAll(/([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g);
  const pairs = [...found].map(([, name = "", double, single, bare]): [string, string] => [
    name.toLowerCase(),
    decoded(double ?? single ?? bare ?? ""),
  ]);
  return new Map(pairs);
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };

function decoded(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return NAMED[name] ?? whole;
  });
}
