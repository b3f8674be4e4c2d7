/**
 * Has the gateway load most of what its first answer needs: it looks something up as its model would, with no model asked and
 * no conversation begun. Measured on a slow machine: the first answer takes 3 to 5 s after it, 8 to 10 s without, the next 1 s.
 * See docs/gateway/tools-invoke-http-api.md of openclaw.
 */
export const WARM_UP = {
  path: "/tools/invoke",
  body: JSON.stringify({ tool: "memory_search", args: { query: "warm-up" } }),
};
