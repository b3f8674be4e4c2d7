/**
 * The page that waits for the gateway. Whatever the container wrote is only ever set as text.
 * @typedef {{ phase: string, since?: string, step?: string, reason?: string, log?: string[] }} Waiting
 */
{
  const POLL_MS = 1_000;

  /** @type {Record<string, string>} */
  const WORDS = {
    asleep: "The Moltbot is asleep.",
    restoring: "The Moltbot wakes up.",
    starting: "The Moltbot wakes up.",
    ready: "The Moltbot is ready.",
    unresponsive: "The Moltbot does not answer just now.",
    draining: "The Moltbot goes to sleep.",
    failed: "The Moltbot does not start.",
  };

  /** @type {Record<string, string>} */
  const BUTTONS = { asleep: "Wake it", failed: "Try again", unresponsive: "Restart it" };

  const ORDER = ["restoring", "starting", "ready"];

  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const { status: statusUrl = "", wake: wakeUrl = "" } = main.dataset;

  /** @param {string} id */
  const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  const button = /** @type {HTMLButtonElement} */ (part("wake"));
  const progress = /** @type {HTMLProgressElement} */ (part("progress"));

  /**
   * @param {string} id
   * @param {string} text
   */
  function say(id, text) {
    const element = part(id);
    element.hidden = text === "";
    // A live region that is set to what it says already is read out again.
    if (element.textContent !== text) element.textContent = text;
  }

  /** @param {Waiting} waiting */
  function show({ phase, since, step, reason, log }) {
    const at = ORDER.indexOf(phase);
    const under = at >= 0;
    say("phase", WORDS[phase] ?? phase);
    part("steps").hidden = !under;
    progress.hidden = !under;
    if (under) progress.value = at + 0.5;
    for (const item of part("steps").querySelectorAll("li")) {
      const place = ORDER.indexOf(item.dataset.phase ?? "");
      item.className = place < at ? "done" : place === at ? "now" : "";
      item.toggleAttribute("aria-current", place === at);
    }
    const seconds = since === undefined ? 0 : Math.max(0, Math.round((Date.now() - Date.parse(since)) / 1_000));
    const words = [step, since !== undefined && (under || phase === "draining") ? `for ${seconds} s` : ""];
    say("since", words.filter(Boolean).join(", "));
    say("reason", reason ?? "");
    say("log", (log ?? []).join("\n"));
    const label = BUTTONS[phase] ?? "";
    button.hidden = label === "";
    button.textContent = label;
    button.disabled = false;
  }

  /**
   * @param {string} url
   * @param {RequestInit} [init]
   */
  async function ask(url, init) {
    const response = await fetch(url, { cache: "no-store", ...init });
    // The sign-in has ended: loading the page leads to it.
    if (response.status === 401 || response.redirected) return location.reload();
    if (!response.ok) throw new Error(String(response.status));
    /** @type {Waiting} */
    const waiting = await response.json();
    if (waiting.phase === "ready") return location.reload();
    show(waiting);
  }

  button.addEventListener("click", () => {
    button.disabled = true;
    ask(wakeUrl, { method: "POST" }).catch(() => (button.disabled = false));
  });

  async function poll() {
    // Nobody looks at a hidden tab; it asks again when it is seen.
    if (!document.hidden)
      await ask(statusUrl).catch(() => say("since", "The Moltbot's host does not answer. Trying again."));
    setTimeout(() => void poll(), POLL_MS);
  }

  show(JSON.parse(main.dataset.waiting ?? "{}"));
  setTimeout(() => void poll(), POLL_MS);
}
