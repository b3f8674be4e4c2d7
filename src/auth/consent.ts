import type { ConsentDescription } from "@cloudflare/workers-oauth-provider";
import { SCOPE_NAMES, SCOPES } from "../core/scope.ts";
import { escapeHtml, page } from "./page.ts";

/**
 * The page on which a person decides what a client may do. It shows who asks and where access will be sent;
 * every permission can be ticked, because a client that only refreshes its token can never ask for more later.
 */
export function consentPage(details: ConsentDescription, handle: string, headers: Headers): Response {
  const name = escapeHtml(details.clientName);
  const origin = details.clientDomain
    ? `Published by <strong>${escapeHtml(details.clientDomain)}</strong>.`
    : "This app registered itself; its name is not verified.";
  const warning = details.redirectIsLoopback
    ? `<p class="warning"><strong>Access goes to an app on this computer.</strong> Go on only if you have just started connecting it.</p>`
    : "";
  const asked = new Set(details.scope);
  const boxes = SCOPE_NAMES.map((scope) => {
    const ticked = asked.size === 0 || asked.has(scope) ? " checked" : "";
    return `<label><input type="checkbox" name="scope" value="${scope}"${ticked}><span>${escapeHtml(SCOPES[scope])}</span></label>`;
  }).join("");
  return page(
    `Connect ${details.clientName}`,
    `<h1>Connect ${name} to your Moltbot?</h1>
<p class="facts">${origin}<br>Access will be sent to <strong>${escapeHtml(details.redirectHost)}</strong>.</p>
${warning}
<form method="post">
<input type="hidden" name="handle" value="${escapeHtml(handle)}">
<fieldset><legend>It may</legend>${boxes}</fieldset>
<p class="actions"><button class="main" name="decision" value="approve">Allow</button><button name="decision" value="deny">Deny</button></p>
</form>`,
    { headers },
  );
}
