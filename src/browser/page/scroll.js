/**
 * Scrolls an element, or the page, or the nearest thing around it that scrolls.
 * @this {Element | Window}
 * @param {string | undefined} where pixels, `up`, `down`, `top` or `bottom`; nothing brings the element into view
 */
function scroll(where) {
  const page = document.scrollingElement ?? document.documentElement;
  const start = this instanceof Element ? this : page;
  if (where === undefined || where === "") {
    start.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    return;
  }
  let box = start;
  while (box !== page && (box.scrollHeight <= box.clientHeight || getComputedStyle(box).overflowY === "visible")) {
    box = box.parentElement ?? page;
  }
  const height = box === page ? innerHeight : box.clientHeight;
  const by = { up: -0.8 * height, down: 0.8 * height, top: -box.scrollHeight, bottom: box.scrollHeight };
  const pixels = where in by ? by[/** @type {keyof typeof by} */ (where)] : Number(where);
  box.scrollBy({ top: pixels, behavior: "instant" });
}
