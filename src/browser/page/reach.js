/**
 * Brings an element into view and waits until a click would reach it. Answers where to click, in its frame's
 * coordinates, or what is in the way.
 * @this {Element}
 * @param {number} patience milliseconds
 * @returns {Promise<{ x: number, y: number } | { problem: string }>}
 */
async function reach(patience) {
  const until = performance.now() + patience;
  /** @type {Element} */
  let target = this;
  let problem = "it is not visible";
  let last = "";
  for (;;) {
    if (!this.isConnected) return { problem: "it is not on the page any more" };
    if (this.matches(":disabled") || this.closest("[aria-disabled=true],[inert]")) problem = "it is disabled";
    else {
      // A control drawn by its label has no size itself.
      const label = this instanceof HTMLInputElement ? this.labels?.[0] : undefined;
      target = label && !seen(this) ? label : this;
      target.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      const spot = middle(target);
      if (!spot) problem = "it is not visible";
      else {
        const now = `${spot.x} ${spot.y}`;
        const hit = topmost(spot.x, spot.y);
        const free =
          hit !== null && (holds(target, hit) || holds(hit, target) || hit.closest("label")?.control === this);
        if (!free) problem = hit ? `${describe(hit)} is in front of it` : "it is outside of the window";
        else if (now === last) return spot;
        else problem = "it does not stop moving";
        last = now;
      }
    }
    if (performance.now() > until) return { problem };
    await new Promise((resolve) => setTimeout(resolve, 30));
  }

  /** @param {Element} element */
  function seen(element) {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  }
  /** @param {Element} element */
  function middle(element) {
    if (!element.checkVisibility({ visibilityProperty: true })) return undefined;
    // A link over two lines has two boxes; between them is nothing to click.
    const box = [...element.getClientRects()].find(({ width, height }) => width > 0 && height > 0);
    return box && { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
  }
  /** @param {number} x @param {number} y */
  function topmost(x, y) {
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot) {
      const inner = hit.shadowRoot.elementFromPoint(x, y);
      if (inner === null || inner === hit) break;
      hit = inner;
    }
    return hit;
  }
  /** @param {Element} outer @param {Element} inner */
  function holds(outer, inner) {
    /** @type {Node | null} */
    let node = inner;
    while (node) {
      if (node === outer) return true;
      node = node instanceof ShadowRoot ? node.host : node.parentNode;
    }
    return false;
  }
  /** @param {Element} element */
  function describe(element) {
    const name = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 40);
    const id = element.id ? `#${element.id}` : "";
    return `<${element.localName}${id}>${name ? ` "${name}"` : ""}`;
  }
}
