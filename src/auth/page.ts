/** The strictest policy a form page can have: nothing loads, nothing runs, nobody frames it. */
const POLICY = "default-src 'none'; style-src 'nonce-NONCE'; base-uri 'none'; frame-ancestors 'none'";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --soft: color-mix(in srgb, CanvasText 6%, Canvas); --line: color-mix(in srgb, CanvasText 22%, Canvas); --dim: color-mix(in srgb, CanvasText 72%, Canvas) }
* { box-sizing: border-box }
body { margin: 0; display: grid; place-items: center; min-height: 100dvh; background: var(--soft); color: CanvasText }
main { width: min(32rem, 100%); padding: 2rem; background: Canvas; border: 1px solid var(--line); border-radius: .9rem; margin: 1rem }
h1 { margin: 0 0 1.1rem; font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere; text-wrap: balance }
.facts { display: grid; grid-template-columns: auto 1fr; gap: .35rem 1rem; margin: 0; overflow-wrap: anywhere }
dt { color: var(--dim) }
dd { margin: 0 }
.warning { margin: 1.1rem 0 0; padding: .75rem 1rem; border-radius: .5rem; border-left: .3rem solid #c60; background: color-mix(in srgb, #c60 10%, Canvas) }
fieldset { border: 0; padding: 0; margin: 1.4rem 0 0; min-width: 0 }
legend { padding: 0; font-weight: 600; margin-bottom: .5rem }
label { display: flex; gap: .75rem; padding: .7rem .9rem; align-items: center; cursor: pointer }
fieldset label { border: 1px solid var(--line); margin-top: -1px }
fieldset label:first-of-type { border-radius: .6rem .6rem 0 0 }
fieldset label:last-of-type { border-radius: 0 0 .6rem .6rem }
label:hover { background: var(--soft) }
.remember { margin-top: .6rem; border: 1px solid transparent; border-radius: .6rem }
input { inline-size: 1.2rem; block-size: 1.2rem; flex: none; margin: 0; accent-color: #1558b0 }
.actions { display: flex; gap: .75rem; margin: 1rem 0 0 }
button { flex: 1; font: inherit; font-weight: 600; min-height: 2.9rem; border-radius: .6rem; border: 1px solid var(--line); background: Canvas; color: inherit; cursor: pointer }
button:hover { background: var(--soft) }
button.main { background: #1558b0; border-color: #1558b0; color: #fff }
button.main:hover { background: #10478f }
.small { margin: .9rem 0 0; font-size: .9rem; color: var(--dim) }
:focus-visible { outline: 3px solid #4a90e2; outline-offset: 2px }
@media (max-width: 34rem) { body { place-items: start stretch; background: Canvas } main { width: auto; margin: 0; padding: 1.5rem 1.25rem; border: 0; border-radius: 0 } .facts { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .5rem } }
`;

/** Text for HTML. Every string that a client or an issuer chose goes through it. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A complete page; `body` is HTML that is already escaped, `headers` come from the consent helpers. */
export function page(title: string, body: string, init: { status?: number; headers?: Headers } = {}): Response {
  const nonce = crypto.randomUUID();
  const headers = new Headers(init.headers);
  headers.set("content-type", "text/html; charset=utf-8");
  headers.set("content-security-policy", POLICY.replace("NONCE", nonce));
  headers.set("x-frame-options", "DENY");
  // Not "no-referrer": browsers would then send the form with the Origin "null".
  headers.set("referrer-policy", "same-origin");
  headers.set("x-content-type-options", "nosniff");
  headers.set("cache-control", "no-store");
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style nonce="${nonce}">${STYLE}</style></head>
<body><main>${body}</main></body></html>`;
  return new Response(html, { status: init.status ?? 200, headers });
}

/** An error a person sees in the browser: what happened and what to do, nothing internal. */
export function errorPage(status: number, message: string, hint: string): Response {
  return page("Sign-in stopped", `<h1>${escapeHtml(message)}</h1><p>${escapeHtml(hint)}</p>`, { status });
}
