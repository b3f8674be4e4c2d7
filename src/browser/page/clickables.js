/**
 * Elements that look clickable to a person but say nothing of it to a screen reader: a pointing hand, or a handler,
 * on something that is neither a control nor in one.
 * @param {number} most
 */
function clickables(most) {
  const controls =
    "a[href],button,input,select,textarea,summary,label,option,[role=button],[role=link],[role=checkbox],[role=tab],[role=menuitem],[role=option],[contenteditable='']";
  /** @type {Element[]} */
  const found = [];
  /** @param {ParentNode} root */
  function search(root) {
    for (const element of root.querySelectorAll("*")) {
      if (found.length >= most) return;
      if (element.shadowRoot) search(element.shadowRoot);
      if (element.closest(controls)) continue;
      if (element.hasAttribute("onclick") || pointsFirst(element)) found.push(element);
    }
  }
  /** @param {Element} element */
  function pointsFirst(element) {
    if (getComputedStyle(element).cursor !== "pointer") return false;
    const parent = element.parentElement;
    return parent === null || getComputedStyle(parent).cursor !== "pointer";
  }
  search(document);
  return found;
}
