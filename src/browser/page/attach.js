/**
 * Puts files into a file field, as a chooser would, or drops them on an element. For a button or label it is the field
 * that belongs to it, or the only one there is.
 * @this {Element}
 * @param {{ name: string, mimeType: string, data: string }[]} files base64
 * @returns {{ problem: string } | { files: number }}
 */
function attach(files) {
  const transfer = new DataTransfer();
  for (const { name, mimeType, data } of files) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type: mimeType }));
  }
  const field = fieldOf(this);
  if (!field) {
    for (const type of ["dragenter", "dragover", "drop"]) {
      const event = new DragEvent(type, { bubbles: true, cancelable: true, composed: true, dataTransfer: transfer });
      const taken = !this.dispatchEvent(event);
      if (type === "drop" && !taken) return { problem: "it is no file field and takes no drop" };
    }
    return { files: files.length };
  }
  if (field.disabled) return { problem: "it is disabled" };
  if (files.length > 1 && !field.multiple) return { problem: "it takes one file" };
  field.files = transfer.files;
  field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return { files: files.length };

  /** @param {Element} element */
  function fieldOf(element) {
    /** @param {unknown} one */
    const isField = (one) => (one instanceof HTMLInputElement && one.type === "file" ? one : undefined);
    const labelled = isField(element) ?? isField(element.closest("label")?.control);
    if (labelled) return labelled;
    for (const root of [element, element.closest("form")]) {
      const fields = [...(root?.querySelectorAll("input[type=file]") ?? [])];
      if (fields.length === 1) return isField(fields[0]);
    }
    return undefined;
  }
}
