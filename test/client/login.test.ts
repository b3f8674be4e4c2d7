import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { headlessBrowser } from "../../local/client/browser.ts";
import { connect } from "../../local/client/connect.ts";
import { driveSignIn } from "../../local/client/drive-sign-in.ts";
import { login } from "../../local/client/login.ts";
import { sessionState } from "../../local/client/oauth-session.ts";
import { sessionFile } from "../../local/client/session-file.ts";
import { talk } from "../../local/client/talk.ts";
import { freePort } from "../../local/ports.ts";
import { type ClientStack, clientStack } from "./stack.ts";

let stack: ClientStack;
beforeAll(async () => {
  stack = await clientStack();
});
afterAll(() => stack.close());
beforeEach(() => sessionFile(join(stack.stateFolder, "client"), stack.url).remove());

const silent = { text: () => {}, step: () => {} };
const nobody = () => {
  throw new Error("A person was asked to sign in.");
};

const echoSchema = z.object({ scopes: z.array(z.string()) });

async function granted(token: string): Promise<string[]> {
  const params = { name: "chat_send", arguments: { message: "scopes?" } };
  const response = await fetch(`${stack.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  });
  const [, data = ""] = /^data: (.*)$/m.exec(await response.text()) ?? [];
  const { result } = z
    .object({ result: z.object({ structuredContent: z.object({ text: z.string() }) }) })
    .parse(JSON.parse(data));
  return echoSchema.parse(JSON.parse(result.structuredContent.text)).scopes;
}

/** What is kept of the session, changed by `change`. */
async function tamper(change: (state: z.output<typeof sessionState>) => void): Promise<void> {
  const folder = join(stack.stateFolder, "client");
  const [name = ""] = await readdir(folder);
  const state = sessionState.parse(JSON.parse(await readFile(join(folder, name), "utf8")));
  change(state);
  await writeFile(join(folder, name), JSON.stringify(state));
}

async function kept() {
  return await sessionFile(join(stack.stateFolder, "client"), stack.url).read();
}

test("gets from nothing to a token that works", async () => {
  const { accessToken, scopes } = await login(stack);
  expect(scopes).toContain("chat");
  expect(await granted(accessToken)).toEqual(scopes);
});

test("asks for and gets fewer permissions", async () => {
  const { accessToken, scopes } = await login({ ...stack, scopes: ["chat"], clientName: "careful" });
  expect(scopes).toEqual(["chat"]);
  expect(await granted(accessToken)).toEqual(["chat"]);
});

test("registers a client of its own each time", async () => {
  expect((await login(stack)).clientId).not.toBe((await login(stack)).clientId);
});

test("reports that consent was denied", async () => {
  await expect(login({ ...stack, decision: "deny" })).rejects.toMatchObject({ code: "forbidden" });
});

test("reports that the password is wrong, after one try", async () => {
  const wrong = login({ ...stack, password: "not the password" });
  await expect(wrong).rejects.toMatchObject({
    code: "unauthorized",
    message: expect.stringContaining("That is not the password."),
  });
});

test("lets a person sign in with a browser", async () => {
  const { password: _, ...noPassword } = stack;
  const shown = Promise.withResolvers<string>();
  const waiting = login({ ...noPassword, show: shown.resolve });
  const url = await shown.promise;
  const redirect = new URL(url).searchParams.get("redirect_uri") ?? "";
  await driveSignIn(url, redirect, { password: stack.password, decision: "approve" });
  expect((await waiting).scopes).toContain("chat");
});

test("takes no answer that belongs to another sign-in", async () => {
  const { password: _, ...noPassword } = stack;
  const shown = Promise.withResolvers<string>();
  const waiting = login({ ...noPassword, show: shown.resolve });
  const redirect = new URL(await shown.promise).searchParams.get("redirect_uri") ?? "";
  void headlessBrowser().visit(`${redirect}?code=stolen&state=guessed`);
  await expect(waiting).rejects.toMatchObject({ code: "unauthorized" });
});

test("stops waiting for a person when told to", async () => {
  const { password: _, ...noPassword } = stack;
  const abort = new AbortController();
  await expect(login({ ...noPassword, show: () => abort.abort(), signal: abort.signal })).rejects.toThrow();
});

test("says how to start the server when nothing answers", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const failure = { code: "unavailable", hint: "Start the Moltbot with: npm start" };
  await expect(login({ url, password: "x" })).rejects.toMatchObject(failure);
});

test("says so when something else answers", async () => {
  const server = createServer((_request, response) => response.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  await expect(login({ url: `http://127.0.0.1:${port}`, password: "x" })).rejects.toMatchObject({ code: "upstream" });
  server.close();
});

test("types the password into no page of another machine", async () => {
  const server = createServer((_request, response) =>
    response.end('<form method="post" action="http://192.0.2.1/"><input type="password" name="password"></form>'),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const start = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
  const driven = driveSignIn(start, "http://127.0.0.1:1/", { password: "secret", decision: "approve" });
  await expect(driven).rejects.toThrow("not on this machine");
  server.close();
});

test("keeps registration and tokens in a file for this user only, and uses them again", async () => {
  const first = await connect(stack, stack.stateFolder, nobody);
  const token = await first.token();
  await first.close();
  const folder = join(stack.stateFolder, "client");
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);

  const second = await connect({ url: stack.url }, stack.stateFolder, nobody);
  expect(await second.token()).toBe(token);
  await second.close();
});

test("refreshes a token that no longer works, as the same client", async () => {
  await (await connect(stack, stack.stateFolder, nobody)).close();
  const before = await kept();
  await tamper(({ tokens }) => {
    if (tokens) tokens.access_token = "no:longer:good";
  });
  const connection = await connect({ url: stack.url }, stack.stateFolder, nobody);
  expect((await talk(connection.client, { text: "hi" }, silent)).run.status).toBe("done");
  await connection.close();
  const after = await kept();
  expect(after?.client?.client_id).toBe(before?.client?.client_id);
  expect(after?.tokens?.access_token).not.toBe("no:longer:good");
});

test("renews a token that is about to end before handing it out", async () => {
  const connection = await connect(stack, stack.stateFolder, nobody);
  const token = await connection.token();
  await connection.close();
  await tamper((state) => {
    state.expiresAt = Date.now() + 1_000;
  });
  const again = await connect({ url: stack.url }, stack.stateFolder, nobody);
  expect(await again.token()).not.toBe(token);
  await again.close();
});

test("signs in anew when the refresh token does not work either, or the file is broken", async () => {
  await (await connect(stack, stack.stateFolder, nobody)).close();
  const before = await kept();
  await tamper(({ tokens }) => {
    if (tokens) Object.assign(tokens, { access_token: "a:b:c", refresh_token: "d:e:f" });
  });
  await (await connect(stack, stack.stateFolder, nobody)).close();
  expect((await kept())?.client?.client_id).not.toBe(before?.client?.client_id);

  const folder = join(stack.stateFolder, "client");
  const [name = ""] = await readdir(folder);
  await writeFile(join(folder, name), "{");
  await (await connect(stack, stack.stateFolder, nobody)).close();
  expect((await kept())?.tokens).toBeDefined();
});
