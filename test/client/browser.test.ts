import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { headlessBrowser } from "../../local/client/browser.ts";

let server: Server;
let origin: string;
beforeAll(async () => {
  // Sets the cookies its query names, and answers with those it was sent.
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://localhost");
    response.setHeader("set-cookie", searchParams.getAll("set"));
    response.end(request.headers.cookie ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(() => server.close());

const setting = (...cookies: string[]) => `?${cookies.map((cookie) => `set=${encodeURIComponent(cookie)}`).join("&")}`;

test("sends cookies back under their path only", async () => {
  const browser = headlessBrowser();
  await browser.visit(`${origin}/a/b${setting("x=1; Path=/a", "y=2; Path=/", "z=3; HttpOnly", "s=4; Secure; Path=/")}`);
  const at = async (path: string) => (await (await browser.visit(origin + path)).text()).split("; ").toSorted();
  expect(await at("/a/c")).toEqual(["s=4", "x=1", "y=2", "z=3"]);
  expect(await at("/ab")).toEqual(["s=4", "y=2"]);
});

test("forgets cookies that are withdrawn, and takes others' for themselves", async () => {
  const browser = headlessBrowser();
  await browser.visit(`${origin}/${setting("x=1; Path=/", "y=1; Path=/")}`);
  await browser.visit(
    `${origin}/${setting("x=; Path=/; Max-Age=0", "y=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")}`,
  );
  expect(await (await browser.visit(origin)).text()).toBe("");
  expect(await (await headlessBrowser().visit(origin)).text()).toBe("");
});
