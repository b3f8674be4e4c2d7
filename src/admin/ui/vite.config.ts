import { defineConfig } from "vite";

/** The admin page as static files. No inline script or style comes out of it: the page's policy would refuse them. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/admin/",
  publicDir: false,
  logLevel: "warn",
  build: {
    target: "es2023",
    // Those that know light-dark().
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // "use client" is for pages made on a server; there are hundreds of them.
      onLog: (level, message, handle) => {
        if (message.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, message);
      },
    },
  },
});
