/**
 * What a page says, as Markdown: of the whole its main part, or an element. Shadow trees and frames of the same origin
 * are part of it; what is not seen is not.
 * @this {Window | Element}
 * @returns {string}
 */
function read() {
  const start = this instanceof Element ? this : mainPart();
  return block(start)
    .replace(/[ \t]+\n/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();

  function mainPart() {
    const body = document.body ?? document.documentElement;
    const parts = [...document.querySelectorAll("main,[role=main],article")].filter((part) => !part.closest("dialog"));
    const best = parts.toSorted((a, b) => length(b) - length(a))[0];
    // A page whose main part holds little has its content elsewhere.
    return best && length(best) > 0.4 * length(body) ? best : body;
  }
  /** @param {Element} element */
  function length(element) {
    return element.textContent?.length ?? 0;
  }
  /** @param {Node} node @returns {Iterable<Node>} */
  function inside(node) {
    if (node instanceof HTMLIFrameElement) return node.contentDocument?.body ? [node.contentDocument.body] : [];
    if (node instanceof HTMLSlotElement && node.assignedNodes().length > 0) return node.assignedNodes();
    if (node instanceof Element && node.shadowRoot) return node.shadowRoot.childNodes;
    return node.childNodes;
  }
  /** @param {Node} node */
  function block(node) {
    return [...inside(node)].map(one).join("");
  }
  /** @param {Node} node */
  function line(node) {
    return block(node).replace(/\s+/g, " ").trim();
  }
  /** @param {Node} node @returns {string} */
  function one(node) {
    if (node.nodeType === 3) return (node.textContent ?? "").replace(/\s+/g, " ");
    if (node.nodeType !== 1) return "";
    const element = /** @type {HTMLElement} */ (node);
    const tag = element.localName;
    if (/^(script|style|noscript|template|head|svg|canvas|object)$/.test(tag)) return "";
    if (element.getAttribute("aria-hidden") === "true" || !element.checkVisibility({ visibilityProperty: true })) {
      // `display: contents` has no box of its own, and a slot neither.
      if (getComputedStyle(element).display !== "contents") return "";
    }
    if (/^h[1-6]$/.test(tag)) return `\n\n${"#".repeat(Number(tag[1]))} ${line(element)}\n\n`;
    switch (tag) {
      case "a": {
        const text = line(element);
        const href = /** @type {HTMLAnchorElement} */ (element).href;
        return text === "" ? "" : /^https?:/.test(href) ? `[${text}](${href})` : text;
      }
      case "img": {
        const alt = element.getAttribute("alt")?.trim();
        return alt ? `![${alt}]` : "";
      }
      case "br":
        return "\n";
      case "hr":
        return "\n\n---\n\n";
      case "b":
      case "strong": {
        const text = line(element);
        return text === "" ? " " : ` **${text}** `.replace(/^ (?=\*\*)/, "");
      }
      case "code":
        return `\`${element.textContent ?? ""}\``;
      case "pre":
        return `\n\n\`\`\`\n${(element.textContent ?? "").trimEnd()}\n\`\`\`\n\n`;
      case "li":
        return `\n${marker(element)} ${block(element).trim().replace(/\n+/g, "\n  ")}`;
      case "ul":
      case "ol":
      case "dl":
        return `\n${block(element)}\n`;
      case "blockquote":
        return `\n\n> ${block(element).trim().replace(/\n/g, "\n> ")}\n\n`;
      case "table":
        return table(/** @type {HTMLTableElement} */ (element));
      case "input": {
        const input = /** @type {HTMLInputElement} */ (element);
        if (/^(hidden|submit|button|image|reset|file)$/.test(input.type))
          return /^(hidden|file)$/.test(input.type) ? "" : `[${input.value}]`;
        if (/^(checkbox|radio)$/.test(input.type)) return input.checked ? "[x] " : "[ ] ";
        return input.type === "password" ? "[(hidden)] " : `[${input.value || input.placeholder}] `;
      }
      case "textarea":
        return `[${/** @type {HTMLTextAreaElement} */ (element).value}] `;
      case "select":
        return `[${/** @type {HTMLSelectElement} */ (element).selectedOptions[0]?.label ?? ""}] `;
      case "iframe":
        return `\n\n${block(element) || `[frame: ${/** @type {HTMLIFrameElement} */ (element).src}]`}\n\n`;
      default: {
        const inline = /^inline|^contents$/.test(getComputedStyle(element).display);
        return inline
          ? block(element)
          : `\n${tag === "p" ? "\n" : ""}${block(element).trim()}\n${tag === "p" ? "\n" : ""}`;
      }
    }
  }
  /** @param {Element} item */
  function marker(item) {
    if (item.parentElement?.localName !== "ol") return "-";
    return `${[...item.parentElement.children].indexOf(item) + 1}.`;
  }
  /** @param {HTMLTableElement} element */
  function table(element) {
    const rows = [...element.rows].map((row) => [...row.cells].map((cell) => line(cell).replaceAll("|", "\\|")));
    const [head, ...others] = rows;
    if (!head) return "";
    // A table of one column is for the layout.
    if (rows.every((row) => row.length <= 1))
      return `\n${[...element.rows].map((row) => block(row).trim()).join("\n")}\n`;
    const rule = head.map(() => "---");
    return `\n\n${[head, rule, ...others].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n\n`;
  }
}
