/**
 * Chooses options of a list by their value or text, as a person would: with its events.
 * @this {Element}
 * @param {string[]} wanted
 * @returns {{ problem: string } | { chosen: string[] }}
 */
function choose(wanted) {
  const list = this;
  if (!(list instanceof HTMLSelectElement)) return { problem: "it is no <select>: click it, then the option" };
  if (list.disabled) return { problem: "it is disabled" };
  if (wanted.length > 1 && !list.multiple) return { problem: "it takes one value" };
  const options = [...list.options];
  const found = wanted.map((text) =>
    options.find((option) => option.value === text || option.label.trim() === text.trim()),
  );
  const missing = wanted.find((_, index) => !found[index]);
  if (missing !== undefined) {
    const offered = options.slice(0, 20).map(({ label }) => label.trim());
    return { problem: `it has no "${missing}"; it has ${offered.join(", ")}` };
  }
  for (const option of options) option.selected = found.includes(option);
  list.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  list.dispatchEvent(new Event("change", { bubbles: true }));
  return { chosen: wanted };
}
