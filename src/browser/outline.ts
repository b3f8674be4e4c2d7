import type { SnapshotMode } from "./access.ts";
import { type Node, textOf } from "./tree.ts";

/** Around something to click, these tell one from another. */
const CONTEXT = new Set([
  "row",
  "listitem",
  "article",
  "dialog",
  "alertdialog",
  "form",
  "navigation",
  "search",
  "iframe",
  "group",
  "radiogroup",
  "region",
  "tablist",
  "menu",
  "toolbar",
  "complementary",
]);
const HEADS = new Set(["h1", "h2", "h3"]);
const SAID = new Set(["alert", "status"]);
/** Characters of a name, where only a hint is wanted. */
const HINT = 80;
const MOST_OPTIONS = 12;

/** A tree as lines, a deeper level one space further in. */
export function outline(nodes: readonly Node[], mode: SnapshotMode): string[] {
  const lines: string[] = [];
  const shown = mode === "full" ? nodes : nodes.flatMap(pruned);
  for (const node of shown) write(node, 0, mode, lines);
  return lines;
}

/** What can be acted on, and of the rest only what tells where that is. */
function pruned(node: Node): Node[] {
  const children = node.children.flatMap(pruned);
  // What is announced to a person is told whole.
  if (SAID.has(node.role)) return textOf(node) === "" ? [] : [node];
  if (node.acts || HEADS.has(node.role)) return [{ ...node, children }];
  if (children.length === 0 || !CONTEXT.has(node.role)) return children;
  const name = node.name || hintOf(node);
  return name === "" && node.role !== "iframe" ? children : [{ ...node, name, children }];
}

/** The words of a row or an item that are not its buttons'. */
function hintOf(node: Node): string {
  // A heading in it tells more, and is shown.
  if (node.children.some(({ role }) => HEADS.has(role))) return "";
  if (node.role !== "row" && node.role !== "listitem" && node.role !== "article") return "";
  const words = (part: Node): string[] =>
    part.acts ? [] : part.children.length === 0 ? [part.name] : part.children.flatMap(words);
  return short(words(node).join(" ").trim());
}

function write(node: Node, depth: number, mode: SnapshotMode, lines: string[]): void {
  const indent = " ".repeat(depth);
  const onOneLine = inline(node, mode);
  if (onOneLine !== undefined) {
    lines.push(indent + onOneLine);
    return;
  }
  const head = label(node, mode);
  if (head !== "") lines.push(indent + head);
  for (const child of node.children) write(child, head === "" ? depth : depth + 1, mode, lines);
}

/** A node with little in it, as one line. */
function inline(node: Node, mode: SnapshotMode): string | undefined {
  const head = label(node, mode);
  if (node.children.length === 0) return head;
  if (node.role === "row") {
    const cells = node.children.map((cell) => (isCell(cell) ? cellText(cell, mode) : leaf(cell, mode)));
    if (cells.every((cell) => cell !== undefined)) return `${head} | ${cells.join(" | ")}`;
    return undefined;
  }
  const only = node.children.length === 1 ? node.children[0] : undefined;
  const inner = only && inline(only, mode);
  // A heading that is a link is both, but says its words once.
  if (inner !== undefined && HEADS.has(node.role) && only?.name === node.name) return `${node.role}: ${inner}`;
  return inner === undefined ? undefined : head === "" ? inner : `${head}${head.endsWith("-") ? "" : ":"} ${inner}`;
}

function isCell({ role, ref }: Node): boolean {
  return ref === undefined && /^(cell|gridcell|columnheader|rowheader)$/.test(role);
}

function cellText(cell: Node, mode: SnapshotMode): string | undefined {
  if (cell.children.length === 0) return cell.name;
  const parts = cell.children.map((child) => leaf(child, mode));
  return parts.every((part) => part !== undefined) ? parts.join(" ") : undefined;
}

function leaf(node: Node, mode: SnapshotMode): string | undefined {
  return node.children.length === 0 ? label(node, mode) : undefined;
}

function label(node: Node, mode: SnapshotMode): string {
  const { role, states, ref, value, options } = node;
  const name = mode === "full" ? node.name : short(node.name);
  if (role === "text") return name;
  if (role === "paragraph" && name === "") return "";
  const parts = [role === "listitem" ? "-" : role];
  if (name !== "") parts.push(`"${name}"`);
  if (ref !== undefined && (node.acts || mode === "full")) parts.push(ref);
  if (value !== undefined && value !== name) parts.push(`= "${mode === "full" ? value : short(value)}"`);
  if (states.length > 0) parts.push(`(${states.join(", ")})`);
  if (options) {
    const more = options.length > MOST_OPTIONS ? `, ${options.length - MOST_OPTIONS} more` : "";
    parts.push(`[${options.slice(0, MOST_OPTIONS).map(short).join(", ")}${more}]`);
  }
  return parts.join(" ");
}

function short(text: string): string {
  return text.length <= HINT ? text : `${text.slice(0, HINT - 1)}…`;
}

/** The part of the tree under one element. */
export function under(nodes: readonly Node[], ref: string): Node | undefined {
  for (const node of nodes) {
    const found = node.ref === ref ? node : under(node.children, ref);
    if (found) return found;
  }
  return undefined;
}

const NAME = /(?:^|\s)((?:f\d+)?e\d+)(?=$|\s|:)/;
const MOST_CHANGES = 5_000;

/** What differs between two outlines of one page: `-` gone, `+` new, `~` the same element changed. */
export function changes(before: readonly string[], after: readonly string[]): string {
  const old = counted(before);
  const added = after.filter((line) => !taken(old, line.trim()));
  const now = counted(after);
  const gone = before.filter((line) => !taken(now, line.trim()));
  const names = new Set(added.flatMap((line) => NAME.exec(line)?.[1] ?? []));
  const goneNames = new Set(gone.flatMap((line) => NAME.exec(line)?.[1] ?? []));
  const lines = [
    ...gone.filter((line) => !names.has(NAME.exec(line)?.[1] ?? "")).map((line) => `- ${line.trim()}`),
    ...added.map((line) => `${goneNames.has(NAME.exec(line)?.[1] ?? "") ? "~" : "+"} ${line.trim()}`),
  ];
  if (lines.length === 0) return "";
  const text = lines.join("\n");
  if (text.length <= MOST_CHANGES) return text;
  return `${text.slice(0, text.lastIndexOf("\n", MOST_CHANGES))}\n[more has changed: browser_snapshot shows all]`;
}

function counted(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line.trim(), (counts.get(line.trim()) ?? 0) + 1);
  return counts;
}

function taken(counts: Map<string, number>, line: string): boolean {
  const left = counts.get(line) ?? 0;
  if (left === 0) return false;
  counts.set(line, left - 1);
  return true;
}
