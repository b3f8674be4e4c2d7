/**
 * Makes a field ready for typed text, all it holds selected. Kinds that no keys can fill are set at once.
 * @this {Element}
 * @param {string} text
 * @param {boolean} secret
 * @param {boolean} keep leaves what is there and goes to its end
 * @returns {{ problem: string } | { set: true } | { type: true }}
 */
function readyToFill(text, secret, keep) {
  const field = this;
  if (field instanceof HTMLSelectElement) return { problem: "it is a list: use select" };
  const input = field instanceof HTMLInputElement;
  if (!input && !(field instanceof HTMLTextAreaElement) && !(field instanceof HTMLElement && field.isContentEditable)) {
    return { problem: "no text can be put into it" };
  }
  if (input && /^(checkbox|radio)$/.test(field.type)) return { problem: "use check or uncheck" };
  if (input && /^(button|submit|reset|image)$/.test(field.type)) return { problem: "it is a button: use click" };
  if (input && field.type === "file") return { problem: "use browser_upload" };
  if (!(field instanceof HTMLElement)) return { problem: "no text can be put into it" };
  if (field.matches(":disabled") || ("readOnly" in field && field.readOnly)) return { problem: "it cannot be changed" };
  // Secrets are not shown in pictures of the page either.
  if (secret) field.style.setProperty("-webkit-text-security", "disc", "important");
  field.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  field.focus();
  if (input && /^(date|datetime-local|time|month|week|color|range)$/.test(field.type)) {
    // Frameworks replace `value` on the element; the prototype's is the browser's own.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(field, text);
    if (field.value !== text) return { problem: `${field.type} does not take that; it is "${field.value}" now` };
    field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    return { set: true };
  }
  if (input || field instanceof HTMLTextAreaElement) {
    if (!keep) field.select();
    // Some kinds (email, number) have no cursor to move; focus alone puts it at the end.
    else if (field.selectionStart !== null) field.setSelectionRange(field.value.length, field.value.length);
  } else {
    const range = document.createRange();
    range.selectNodeContents(field);
    if (keep) range.collapse(false);
    const selection = getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
  }
  return { type: true };
}
