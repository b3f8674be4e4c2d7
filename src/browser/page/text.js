/**
 * All text that is seen, shadow trees' too.
 * @returns {string}
 */
function text() {
  /** @param {Document | ShadowRoot} root @returns {string} */
  function of(root) {
    const own = root instanceof Document ? (root.body?.innerText ?? "") : [...root.children].map(inner).join("\n");
    const shadows = [...root.querySelectorAll("*")].map(({ shadowRoot }) => (shadowRoot ? of(shadowRoot) : ""));
    return own + shadows.join("\n");
  }
  /** @param {Element} element */
  function inner(element) {
    return element instanceof HTMLElement ? element.innerText : "";
  }
  return of(document);
}
