/**
 * The document as a terminal may use it under the page's policy, which refuses styles that come as text: its style
 * elements become sheets of the document, and its style attributes are set property by property. Both do the same.
 */
export function strictDocument(): { document: Document; dispose(): void } {
  const sheets = new Set<CSSStyleSheet>();
  const drop = (sheet: CSSStyleSheet) => {
    sheets.delete(sheet);
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
  };
  const createElement = (name: string) => {
    const element = document.createElement(name);
    if (element instanceof HTMLStyleElement) adopt(element, sheets, drop);
    else styleByProperty(element);
    return element;
  };
  const proxy = new Proxy(document, {
    get(target, key) {
      if (key === "createElement") return createElement;
      const value: unknown = Reflect.get(target, key, target);
      // A method of the document runs on no proxy of it.
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    document: proxy,
    dispose() {
      for (const sheet of sheets) drop(sheet);
    },
  };
}

function adopt(element: HTMLStyleElement, sheets: Set<CSSStyleSheet>, drop: (sheet: CSSStyleSheet) => void): void {
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
      HTMLStyleElement.prototype.remove.call(element);
    },
  });
}

function styleByProperty(element: HTMLElement): void {
  Object.defineProperty(element, "setAttribute", {
    value(name: string, value: string) {
      if (name === "style") element.style.cssText = value;
      else HTMLElement.prototype.setAttribute.call(element, name, value);
    },
  });
}
