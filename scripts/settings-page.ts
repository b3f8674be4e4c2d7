import { SETTINGS, type Setting } from "../src/config/settings.ts";

const settings: [string, Setting][] = Object.entries(SETTINGS);

/** docs/settings.md. */
export function settingsPage(): string {
  const rows = settings.map(([name, { schema, secret, about }]) => {
    const fallback = schema.safeParse(undefined);
    const need = fallback.success ? "no" : "yes";
    return `| \`${name}\` | ${need} | ${secret ? "yes" : "no"} | ${about} |`;
  });
  return `# Settings

Made from \`src/config/settings.ts\` by \`npm run generate\`.

On Cloudflare, secrets are set with \`wrangler secret put NAME\` and the others under \`vars\` in \`wrangler.jsonc\`.
On one machine, \`npm start\` sets those it knows by itself; what stands in \`.dev.vars\` wins.

| Name | Needed | Secret | What it is |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
}

/** .dev.vars.example. */
export function variablesExample(): string {
  const lines = settings.map(([name, { about, example }]) => `# ${about}\n# ${name}=${example}`);
  return `# Made from src/config/settings.ts by \`npm run generate\`. Copy to .dev.vars and take the # away where you need it.\n\n${lines.join("\n\n")}\n`;
}
