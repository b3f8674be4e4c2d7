import { randomBytes } from "node:crypto";
import { escapeHtml } from "../../src/auth/page.ts";

export interface Page {
  html: string;
  headers: Record<string, string>;
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; background: Canvas; color: CanvasText }
main { width: min(24rem, calc(100vw - 3rem)); padding: 1.5rem 0 }
h1 { font-size: 1.35rem; line-height: 1.3 }
label { display: block; font-weight: 600; margin-top: 1rem }
input { box-sizing: border-box; inline-size: 100%; font: inherit; padding: .6rem .75rem; border-radius: .5rem; border: 1px solid currentColor; background: Field; color: FieldText }
input[readonly] { border-style: dotted }
code { overflow-wrap: anywhere }
.error { padding: .75rem 1rem; border-radius: .5rem; border-left: .25rem solid #c33; background: color-mix(in srgb, CanvasText 7%, Canvas) }
button { font: inherit; margin-top: 1.25rem; padding: .65rem 1.4rem; border-radius: .5rem; border: 1px solid #1558b0; background: #1558b0; color: #fff; cursor: pointer }
:focus-visible { outline: 3px solid #4a90e2; outline-offset: 2px }
`;

/** The sign-in form. `problem` says why the last try did not count; `alone` that there is no other account to choose. */
export function signInPage(fields: {
  action: string;
  email: string;
  alone: boolean;
  /** The file, or the folder of the files, that passwords are in. */
  passwordFile: string;
  problem?: string;
}): Page {
  const problem =
    fields.problem === undefined ? "" : `<p class="error" id="problem" role="alert">${escapeHtml(fields.problem)}</p>`;
  const invalid = fields.problem === undefined ? "" : ` aria-invalid="true"`;
  return page(
    "Sign in",
    `<h1>Sign in to your Moltbot</h1>
${problem}<form method="post" action="${escapeHtml(fields.action)}">
<label for="email">Account</label>
<input id="email" name="email" type="email" autocomplete="username"${fields.alone ? " readonly" : ""} value="${escapeHtml(fields.email)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus aria-describedby="where${invalid === "" ? "" : " problem"}"${invalid}>
<p id="where">It is in <code>${escapeHtml(fields.passwordFile)}</code> on the machine where this runs.</p>
<button type="submit">Sign in</button>
</form>`,
  );
}

export function stoppedPage(message: string): Page {
  return page("Sign-in stopped", `<h1>${escapeHtml(message)}</h1><p>Start again from where you wanted to sign in.</p>`);
}

/**
 * No form-action in the policy: browsers apply it to every redirect that follows the form, and this one
 * leads on to the Worker and from there to the MCP client. The referrer policy keeps the Origin header,
 * which the form's handler checks.
 */
function page(title: string, body: string): Page {
  const nonce = randomBytes(16).toString("base64");
  return {
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style nonce="${nonce}">${STYLE}</style></head>
<body><main>${body}</main></body></html>`,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cache-control": "no-store",
    },
  };
}
