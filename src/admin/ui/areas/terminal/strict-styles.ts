/**
 * The page's policy refuses styles that come as text, which is how the terminal's library writes them. While it draws,
 * its style elements become sheets of the document, and the style attributes of its spans are set property by property.
 * It takes another document as an option, but asks the page's own in two places; so it is this one that is changed.
 */
export function strictStyles(): { dispose: () => void } {
  const sheets = new Set<CSSStyleSheet>();
  const drop = (sheet: CSSStyleSheet) => {
    sheets.delete(sheet);
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
  };
  const make = Document.prototype.createElement.bind(document);
  const createElement = (name: string, options?: ElementCreationOptions) => {
    if (name === "style") return asSheet(make("template"), sheets, drop);
    const element = make(name, options);
    return name === "span" ? styledByProperty(element) : element;
  };
  Object.defineProperty(document, "createElement", { configurable: true, value: createElement });
  return {
    dispose() {
      // What the prototype has is in sight again.
      Reflect.deleteProperty(document, "createElement");
      for (const sheet of sheets) drop(sheet);
    },
  };
}

/** An element without content; the text that it is given is the sheet's. */
function asSheet(element: HTMLElement, sheets: Set<CSSStyleSheet>, drop: (sheet: CSSStyleSheet) => void): HTMLElement {
  const sheet = new CSSStyleSheet();
  sheets.add(sheet);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(element, "textContent", {
    set(text: string) {
      sheet.replaceSync(text);
    },
  });
  Object.defineProperty(element, "remove", {
    value() {
      drop(sheet);
      HTMLElement.prototype.remove.call(element);
    },
  });
  return element;
}

function styledByProperty(element: HTMLElement): HTMLElement {
  Object.defineProperty(element, "setAttribute", {
    value(name: string, value: string) {
      if (name === "style") element.style.cssText = value;
      else HTMLElement.prototype.setAttribute.call(element, name, value);
    },
  });
  return element;
}
