/** The strictest policy a form page can have: nothing loads, nothing runs, nobody frames it. */
const POLICY = "default-src 'none'; style-src 'nonce-NONCE'; base-uri 'none'; frame-ancestors 'none'";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; background: Canvas; color: CanvasText }
main { width: min(30rem, calc(100vw - 3rem)); padding: 1.5rem 0 }
h1 { font-size: 1.35rem; line-height: 1.3 }
.facts, .warning { padding: .75rem 1rem; border-radius: .5rem; background: color-mix(in srgb, CanvasText 7%, Canvas); overflow-wrap: anywhere }
.warning { border-left: .25rem solid #c60 }
fieldset { border: 0; padding: 0; margin: 1.25rem 0 }
legend { font-weight: 600 }
label { display: flex; gap: .75rem; padding: .6rem 0; align-items: baseline }
input { inline-size: 1.1rem; block-size: 1.1rem; flex: none }
.actions { display: flex; gap: .75rem; flex-wrap: wrap }
button { font: inherit; padding: .65rem 1.4rem; border-radius: .5rem; border: 1px solid currentColor; background: transparent; color: inherit; cursor: pointer }
button.main { background: #1558b0; border-color: #1558b0; color: #fff }
:focus-visible { outline: 3px solid #4a90e2; outline-offset: 2px }
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
  headers.set("referrer-policy", "no-referrer");
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
