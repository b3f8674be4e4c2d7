import { chromiums } from "./chromium.ts";

// The first one is taken when it starts; asking for it unpacks it where that is needed.
await chromiums(process.env).next();
