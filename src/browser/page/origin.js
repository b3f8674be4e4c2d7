/**
 * Where the inside of a frame's element begins, in the coordinates of the document it is in.
 * @this {Element}
 */
function insideOf() {
  const box = this.getBoundingClientRect();
  const style = getComputedStyle(this);
  const inset = (/** @type {string} */ border, /** @type {string} */ padding) =>
    parseFloat(border) + parseFloat(padding);
  return {
    x: box.x + inset(style.borderLeftWidth, style.paddingLeft),
    y: box.y + inset(style.borderTopWidth, style.paddingTop),
  };
}
