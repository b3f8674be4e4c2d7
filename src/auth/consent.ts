import type { ConsentDescription } from "@cloudflare/workers-oauth-provider";
import { SCOPE_NAMES, SCOPES } from "../core/scope.ts";
import { escapeHtml, page } from "./page.ts";

/** A name is the client's own choice, and a longer one could push what matters out of sight. */
const MOST_NAME = 60;

/**
 * The page on which a person decides what a client may do. It shows who asks and where access will be sent;
 * every permission can be ticked, because a client that only refreshes its token can never ask for more later.
 */
export function consentPage(details: ConsentDescription, handle: string, headers: Headers): Response {
  const name = shortened(details.clientName);
  const publisher = details.clientDomain
    ? `<strong>${escapeHtml(details.clientDomain)}</strong> published this app.`
    : "This app gave itself its name; nobody has checked it.";
  const warning = details.redirectIsLoopback
    ? `<p class="warning"><strong>Access goes to an app on this computer.</strong> Go on only if you have just started connecting it.</p>`
    : "";
  const asked = new Set(details.scope);
  const boxes = SCOPE_NAMES.map((scope) => {
    const ticked = asked.size === 0 || asked.has(scope) ? " checked" : "";
    return `<label><input type="checkbox" name="scope" value="${scope}"${ticked}><span>${escapeHtml(SCOPES[scope])}</span></label>`;
  }).join("\n");
  // Any program on a computer can listen where the last one did, so there the question is worth asking each time.
  const remember = details.redirectIsLoopback ? "" : " checked";
  // Enter in a check box presses the first button, and nobody should allow anything by accident: so Deny comes first.
  return page(
    `Connect ${name}`,
    `<h1>Connect <bdi>${escapeHtml(name)}</bdi> to your Moltbot?</h1>
<dl class="facts">
<dt>App</dt><dd>${publisher}</dd>
<dt>Access goes to</dt><dd><strong>${escapeHtml(details.redirectHost)}</strong></dd>
</dl>
${warning}
<form method="post">
<input type="hidden" name="handle" value="${escapeHtml(handle)}">
<fieldset><legend>It may</legend>
${boxes}
</fieldset>
<label class="remember"><input type="checkbox" name="remember"${remember}><span>Do not ask me again for this app in this browser</span></label>
<p class="actions"><button name="decision" value="deny">Deny</button><button class="main" name="decision" value="approve">Allow</button></p>
</form>
<p class="small">Next you sign in. You can take this back later.</p>`,
    { headers },
  );
}

function shortened(name: string): string {
  // Without control and direction characters, which could make it read as something else.
  const plain = name
    .replace(/[\p{Cc}\p{Cf}]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
  return plain.length > MOST_NAME ? `${plain.slice(0, MOST_NAME)}…` : plain;
}
