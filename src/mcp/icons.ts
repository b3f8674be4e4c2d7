import type { Icon } from "@modelcontextprotocol/server";

export const ICONS_PATH = "/icons/";

/** One line drawing each, on a grid of 24. */
const DRAWINGS: Record<string, string> = {
  moltbot: "M12 4v3M5 9h14v10H5zM9 13v2M15 13v2M2 13v3M22 13v3",
  chat: "M4 5h16v11H9l-5 4z",
  command: "M4 5h16v14H4zM7 9l3 3-3 3M12 15h5",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  memory: "M6 3h12v18l-6-4-6 4zM9 8h6",
  bot: "M12 3v8M7 6a8 8 0 1 0 10 0",
};

/** The icon of a toolset, or the Moltbot's own. An address, not a data URL: the protocol repeats it in every result. */
export function iconOf(publicUrl: string, toolset = "moltbot"): Icon {
  const name = toolset in DRAWINGS ? toolset : "moltbot";
  return { src: `${publicUrl}${ICONS_PATH}${name}.svg`, mimeType: "image/svg+xml", sizes: ["any"] };
}

/** Serves the icons; they are the same for everybody. */
export function handleIcon(pathname: string): Response {
  const name = pathname.slice(ICONS_PATH.length).replace(/\.svg$/, "");
  const drawing = Object.hasOwn(DRAWINGS, name) ? DRAWINGS[name] : undefined;
  if (drawing === undefined) return new Response("There is no such icon.\n", { status: 404 });
  // Grey stands out on light and on dark.
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#808890" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d="${drawing}"/></svg>`;
  return new Response(svg, {
    headers: {
      "content-type": "image/svg+xml",
      "cache-control": "public, max-age=86400",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      "x-content-type-options": "nosniff",
    },
  });
}
