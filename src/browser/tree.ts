import type { Page } from "@cloudflare/puppeteer";
import { factsOf } from "./frame-facts.ts";
import { type AxNode, type Part, partsOf } from "./parts.ts";
import type { Refs } from "./refs.ts";

/** A page as it is told to a reader: what a screen reader would say, and the names to act on it by. */
export interface Node {
  /** `text` for plain text. */
  role: string;
  name: string;
  value?: string;
  states: string[];
  /** What the element is called in steps. */
  ref?: string;
  /** It takes clicks or keys. */
  acts: boolean;
  /** What a select offers. */
  options?: string[];
  children: Node[];
}

const ACTING = new Set([
  "button",
  "checkbox",
  "combobox",
  "link",
  "listbox",
  "menuitem",
  "menuitemcheckbox",
  "menuitemradio",
  "option",
  "radio",
  "searchbox",
  "slider",
  "spinbutton",
  "switch",
  "tab",
  "textbox",
  "treeitem",
  "DisclosureTriangle",
  "ColorWell",
  "Date",
  "DateTime",
  "InputTime",
]);
/** Worth a name of their own although they take no clicks: to look at, or to read alone. */
const NAMED = new Set([
  "article",
  "dialog",
  "alertdialog",
  "form",
  "img",
  "image",
  "main",
  "region",
  "table",
  "canvas",
  "video",
]);
/** They say nothing themselves. */
const HOLLOW = new Set([
  "generic",
  "none",
  "presentation",
  "GenericContainer",
  "RootWebArea",
  "rowgroup",
  "strong",
  "emphasis",
  "LayoutTable",
  "LayoutTableRow",
  "LayoutTableCell",
  "LabelText",
  "ListMarker",
  "Legend",
  "MenuListPopup",
  "sectionheader",
  "sectionfooter",
  "caption",
  "superscript",
  "subscript",
  "mark",
  "code",
  "time",
  "Abbr",
  "DescriptionList",
  "insertion",
  "deletion",
]);
const SILENT = new Set(["InlineTextBox", "LineBreak"]);
const EDITABLE = new Set(["textbox", "searchbox", "spinbutton", "slider", "Date", "DateTime", "InputTime"]);

/** The page's tree, its frames' trees in their places. */
export async function treeOf(page: Page, refs: Refs): Promise<Node[]> {
  const parts = await partsOf(page);
  const main = parts.get(factsOf(page.mainFrame()).id);
  return main ? grown(main, parts, refs) : [];
}

function grown(part: Part, parts: Map<string, Part>, refs: Refs): Node[] {
  const number = refs.number(part.frame);

  function many(ids: readonly string[] | undefined): Node[] {
    return joined((ids ?? []).flatMap((id) => one(part.nodes.get(id))));
  }

  function one(ax: AxNode | undefined): Node[] {
    if (!ax) return [];
    const role = said(ax.role);
    if (SILENT.has(role)) return [];
    if (role === "StaticText") return ax.ignored ? [] : plain(said(ax.name));
    const id = ax.backendDOMNodeId;
    const clickable = id !== undefined && part.clickable.has(id);
    const properties = new Map((ax.properties ?? []).map(({ name, value }) => [name, value.value]));
    const editable = properties.get("editable") !== undefined && properties.get("focusable") === true;
    if (!clickable && !editable && (ax.ignored || HOLLOW.has(role))) return many(ax.childIds);
    const acts = clickable || editable || ACTING.has(role);
    const node: Node = {
      role: roleOf(role, properties, { clickable, editable }),
      name: squeezed(said(ax.name)),
      states: statesOf(properties),
      acts,
      children: [],
    };
    const value = squeezed(said(ax.value));
    if (value !== "") node.value = /^[•]+$/.test(value) ? "(hidden)" : value;
    if (id !== undefined && (acts || NAMED.has(role) || role === "Iframe")) {
      node.ref = refs.name(number, part.facts.loaderId, id);
    }
    const inner = id === undefined ? undefined : parts.get(part.owners.get(id) ?? "");
    node.children = inner ? grown(inner, parts, refs) : many(ax.childIds);
    return [settled(node)];
  }

  return part.root ? one(part.root) : [];
}

function roleOf(role: string, properties: Map<string, unknown>, is: { clickable: boolean; editable: boolean }): string {
  if (role === "heading") return `h${said({ value: properties.get("level") })}`;
  if (is.editable && HOLLOW.has(role)) return "textbox";
  if (is.clickable && (role === "" || HOLLOW.has(role))) return "clickable";
  if (role === "image") return "img";
  return role === "" ? "clickable" : role === "Iframe" ? "iframe" : role;
}

/** Says nothing twice: a name made of the content makes the content's text superfluous. */
function settled(node: Node): Node {
  if (EDITABLE.has(node.role)) return { ...node, children: [] };
  if (node.role === "combobox" || node.role === "listbox") {
    const options = node.children.filter(({ role }) => role === "option");
    // Those of a select are no elements to click on: browser_act selects them by their text.
    if (options.length > 0 && options.length === node.children.length) {
      const states = node.states.filter((state) => state !== "collapsed");
      return { ...node, states, options: options.map(({ name }) => name), children: [] };
    }
  }
  if (node.role === "row" || node.role === "table" || node.role === "list") return { ...node, name: "" };
  if (node.name === "") {
    const words = node.role === "clickable" || node.role === "option" ? textOf(node) : "";
    return words === "" ? node : { ...node, name: words, children: without(node.children, words) };
  }
  return { ...node, children: without(node.children, node.name) };
}

/** The nodes less what `name` says already. */
function without(nodes: readonly Node[], name: string): Node[] {
  return nodes.flatMap((node) => {
    if (node.ref === undefined || !node.acts) {
      const silent = node.role === "text" || node.role === "img";
      if (silent && name.includes(node.name)) return [];
    }
    const children = without(node.children, name);
    const empty = node.ref === undefined && children.length === 0 && (node.name === "" || name.includes(node.name));
    return empty ? [] : [{ ...node, children }];
  });
}

export function textOf(node: Node): string {
  if (node.children.length === 0) return node.name;
  return squeezed(node.children.map(textOf).join(" "));
}

function joined(nodes: readonly Node[]): Node[] {
  const result: Node[] = [];
  for (const [index, node] of nodes.entries()) {
    const last = result.at(-1);
    // The words of a label are its field's name already.
    if (node.role === "text" && [last, nodes[index + 1]].some((near) => near?.acts && near.name === node.name))
      continue;
    if (node.role === "text" && last?.role === "text") last.name = squeezed(`${last.name} ${node.name}`);
    else result.push(node);
  }
  return result;
}

function plain(name: string): Node[] {
  const clean = squeezed(name);
  return clean === "" ? [] : [{ role: "text", name: clean, states: [], acts: false, children: [] }];
}

function statesOf(properties: Map<string, unknown>): string[] {
  const states: string[] = [];
  for (const name of ["disabled", "required", "readonly", "selected", "focused", "modal"]) {
    if (properties.get(name) === true) states.push(name);
  }
  for (const name of ["checked", "pressed"]) {
    const value = properties.get(name);
    if (value === "true" || value === true) states.push(name);
    if (value === "mixed") states.push(`${name}: mixed`);
  }
  const expanded = properties.get("expanded");
  if (expanded !== undefined) states.push(expanded === true ? "expanded" : "collapsed");
  const invalid = properties.get("invalid");
  if (invalid !== undefined && invalid !== "false" && invalid !== false) states.push("invalid");
  return states;
}

function said(value: { value?: unknown } | undefined): string {
  const inner = value?.value;
  return typeof inner === "string" || typeof inner === "number" ? String(inner) : "";
}

function squeezed(text: string): string {
  // Private-use characters are icon fonts' pictures.
  return text
    .replace(/[\u{E000}-\u{F8FF}]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
}
