import { z } from "zod";
import { login } from "../../local/client/login.ts";
import { Failure } from "../../src/core/failure.ts";
import { CHAT_SCOPES, connectGateway } from "../../src/gateway/connect.ts";
import { createDevice } from "../../src/gateway/device.ts";
import { connect, type Session } from "../e2e/client.ts";
import { archiveOf } from "../memory/archives.ts";
import type { PageStack, Visit } from "./page-stack.ts";

const gatewaySchema = z.object({ container: z.string(), token: z.string() });
const generationSchema = z.object({ id: z.string() });

/** An MCP client with a token from the whole sign-in, as the owner lets one in. */
export async function letIn(stack: PageStack, clientName: string, scopes?: string[]): Promise<Session> {
  const { url, password } = stack;
  const { accessToken } = await login({ url, password, clientName, ...(scopes ? { scopes } : {}) });
  return await connect({ url }, accessToken);
}

/** A generation of the memory, taken in over the API; answers its id. */
export async function takeIn({ url }: PageStack, { context }: Visit, files: Record<string, string>): Promise<string> {
  const cookies = await context.cookies(url);
  const response = await fetch(`${url}/admin/api/generations/import?replace=true`, {
    method: "POST",
    headers: {
      cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "),
      origin: url,
      "content-type": "application/gzip",
    },
    body: await archiveOf(files),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return generationSchema.parse(JSON.parse(text)).id;
}

/** Puts a large file where the bot's folder is kept. */
export async function place({ url }: PageStack, path: string, content: string): Promise<void> {
  await fetch(`${url}/test/bucket?key=${encodeURIComponent(`files/${path}`)}`, { method: "PUT", body: content });
}

/** A job of the gateway's, which has to be ready. */
export async function addJob({ url }: PageStack, name: string): Promise<void> {
  const job = { name, message: "say: done", everyMinutes: 60, session: "agent:main:mcp:0123456789abcdef01234567:main" };
  const response = await fetch(`${url}/test/job`, { method: "POST", body: JSON.stringify(job) });
  if (!response.ok) throw new Error((await response.text()).slice(0, 300));
}

/** A page in a browser asks the gateway to be let in, and is told to wait; answers how its id begins. */
export async function knock({ url, stack }: PageStack): Promise<string> {
  const { container, token } = gatewaySchema.parse(await (await fetch(`${url}/test/gateway`)).json());
  const { host } = stack;
  const device = await createDevice();
  const access = {
    ready: () => Promise.resolve({ token }),
    async socket() {
      const socket = new WebSocket(`${host.url.replace("http", "ws")}/containers/${container}/ports/18789/`, {
        // Whatever comes from a page is let in by nobody but a person, even on the same machine.
        headers: { "x-container-host-token": host.token, origin: "http://localhost:18789" },
      });
      await new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve, { once: true });
        socket.addEventListener("error", () => reject(new Error("No connection.")), { once: true });
      });
      return socket;
    },
    // Nobody lets it in by itself.
    fetch: () => Promise.resolve(Response.json({ ok: true })),
  };
  const options = { device, scopes: CHAT_SCOPES, onEvent: () => {} };
  await connectGateway(access, options).then(
    () => {
      throw new Error("It was let in at once.");
    },
    (error: unknown) => {
      if (!(error instanceof Failure && error.code === "unauthorized")) throw error;
    },
  );
  return device.id.slice(0, 12);
}

/** While `work` runs, the browser may say so of a request: no fault of the page, which has to tell it to the person. */
export async function expecting({ wrongs }: Visit, said: string, work: () => Promise<void>): Promise<void> {
  const before = wrongs.length;
  await work();
  wrongs.push(...wrongs.splice(before).filter((wrong) => !wrong.includes(said)));
}
