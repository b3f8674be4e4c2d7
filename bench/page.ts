import { readFileSync } from "node:fs";
import { headlessBrowser } from "../local/client/browser.ts";
import { driveSignIn } from "../local/client/drive-sign-in.ts";
import type { Stack } from "../local/stack.ts";
import { type Comparison, compare } from "./measure.ts";

/**
 * The admin page and the first thing it asks for, as a signed-in browser gets them: the guard looks at the ticket each
 * time. Both answers are so short that their first byte brings the rest with it.
 */
export async function benchPage({ url, passwordFile, host }: Stack): Promise<Comparison[]> {
  const browser = headlessBrowser();
  const page = `${url}/admin/`;
  const visit = (address: string, init: RequestInit = {}) =>
    browser.visit(address, {
      ...init,
      headers: { accept: "text/html", ...Object.fromEntries(new Headers(init.headers)) },
    });
  const password = readFileSync(passwordFile, "utf8").trim();
  await driveSignIn(page, page, { password, decision: "approve" }, { visit });
  const seen = async (address: string, headers: Record<string, string> = {}) => {
    const response = await browser.visit(address, { headers });
    if (!response.ok) throw new Error(`${address} answers with ${response.status}.`);
    await response.text();
  };
  const smallest = () => seen(`${url}/bench/empty`, { "x-container-host-token": host.token });
  const rounds = 300;
  return [
    await compare({
      name: "GET /admin/ : the Worker's smallest answer",
      target: 3,
      ours: () => seen(page),
      peer: smallest,
      rounds,
    }),
    await compare({
      name: "GET /admin/api/me : the Worker's smallest answer",
      target: 3,
      ours: () => seen(`${page}api/me`),
      peer: smallest,
      rounds,
    }),
  ];
}
