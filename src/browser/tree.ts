import type { Frame, Page } from "@cloudflare/puppeteer";
import CLICKABLES from "./page/clickables.js";
import type { Refs } from "./refs.ts";
import { factsOf, type FrameFacts } from "./frame-facts.ts";

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

/** As the protocol gives it; only what is used. */
interface AxNode {
  nodeId: string;
  ignored: boolean;
  role?: { value?: unknown };
  name?: { value?: unknown };
  value?: { value?: unknown };
  properties?: { name: string; value: { value?: unknown } }[];
  childIds?: string[];
  parentId?: string;
  backendDOMNodeId?: number;
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

const MOST_CLICKABLES = 60;
/** A frame that does not answer is left out rather than waited for. */
const FRAME_MS = 3_000;

/** The page's tree, its frames' trees in their places. */
export async function treeOf(page: Page, refs: Refs): Promise<Node[]> {
  const parts = new Map<string, Part>();
  await Promise.all(
    page.frames().map(async (frame) => {
      const main = frame === page.mainFrame();
      const part = main ? await partOf(frame) : await soon(partOf(frame));
      if (part) parts.set(part.facts.id, part);
    }),
  );
  const main = parts.get(factsOf(page.mainFrame()).id);
  return main ? grown(main, parts, refs) : [];
}

interface Part {
  frame: Frame;
  facts: FrameFacts;
  nodes: Map<string, AxNode>;
  root: AxNode | undefined;
  clickable: ReadonlySet<number>;
  /** Which of this frame's nodes hold which frames. */
  owners: Map<number, string>;
}

async function partOf(frame: Frame): Promise<Part> {
  const facts = factsOf(frame);
  const [{ nodes }, clickable, owners] = await Promise.all([
    facts.client.send("Accessibility.getFullAXTree", { frameId: facts.id }),
    clickablesOf(frame, facts).catch(() => new Set<number>()),
    ownersOf(frame, facts),
  ]);
  const list: AxNode[] = nodes;
  return {
    frame,
    facts,
    nodes: new Map(list.map((node) => [node.nodeId, node])),
    root: list.find(({ parentId }) => parentId === undefined),
    clickable,
    owners,
  };
}

async function ownersOf(frame: Frame, { client }: FrameFacts): Promise<Map<number, string>> {
  const found = await Promise.all(
    frame.childFrames().map(async (child) => {
      const { id } = factsOf(child);
      // A frame may go while it is looked for.
      const owner = await client.send("DOM.getFrameOwner", { frameId: id }).catch(() => undefined);
      return owner && ([owner.backendNodeId, id] as const);
    }),
  );
  return new Map(found.filter((entry) => entry !== undefined));
}

async function clickablesOf(frame: Frame, { client }: FrameFacts): Promise<Set<number>> {
  const handle = await frame.evaluateHandle(`(${CLICKABLES})(${MOST_CLICKABLES})`);
  const { objectId } = handle.remoteObject();
  if (objectId === undefined) return new Set();
  const { result } = await client.send("Runtime.getProperties", { objectId, ownProperties: true });
  const ids = await Promise.all(
    result.map(async ({ value }) => {
      if (value?.subtype !== "node" || value.objectId === undefined) return undefined;
      const { node } = await client.send("DOM.describeNode", { objectId: value.objectId });
      return node.backendNodeId;
    }),
  );
  await handle.dispose();
  return new Set(ids.filter((id) => id !== undefined));
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

async function soon<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), FRAME_MS);
  });
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
