import { type Answer, answerOf } from "../auth/client.ts";
import type { AuthStack } from "../auth/stack.ts";

export interface TestVisitor {
  get(path: string): Promise<Answer>;
  /** A change as the Worker's own page asks for it. */
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Anything else; the ticket is put in. */
  ask(path: string, init: RequestInit): Promise<Answer>;
  /** The answer's JSON; fails when it is not a success. */
  // Each test knows what its route answers with.
  // oxlint-disable-next-line typescript/no-explicit-any
  read(path: string): Promise<any>;
}

/** Somebody with a ticket from Access at the admin API; paths begin behind /admin/api/. */
export async function visitor(stack: AuthStack, claims: Record<string, unknown>): Promise<TestVisitor> {
  const ticket = await stack.issuer.ticket({ sub: "", ...claims });
  const ask = async (path: string, init: RequestInit) =>
    await answerOf(
      await fetch(`${stack.url}/admin/api/${path}`, {
        redirect: "manual",
        ...init,
        headers: { cookie: `CF_Authorization=${ticket}`, ...Object.fromEntries(new Headers(init.headers)) },
      }),
    );
  const get = (path: string) => ask(path, {});
  return {
    ask,
    get,
    post: (path, body = {}, headers = {}) =>
      ask(path, {
        method: "POST",
        headers: { origin: stack.url, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async read(path) {
      const { status, text } = await get(path);
      if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
      return JSON.parse(text);
    },
  };
}
