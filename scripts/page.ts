import { buildPage } from "../local/page.ts";

// What `npm start`, the tests and `wrangler deploy` run before they need it.
await buildPage();
