import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack, type Stack } from "../../local/stack.ts";
import { connect, type Session, signIn } from "./client.ts";

const stateDir = mkdtempSync(join(tmpdir(), "moltbot-memory-"));
let stack: Stack;
let session: Session;

beforeAll(async () => {
  stack = await startStack({ stateDir, variables: {} });
  const bot = { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() };
  session = await connect(bot, await signIn(bot));
});
afterAll(async () => {
  await session?.close();
  await stack?.close();
  rmSync(stateDir, { recursive: true, force: true });
});

/** The container is gone with everything on its disk, as on Cloudflare after every sleep. */
async function destroyContainer(): Promise<void> {
  const sandboxes = join(stateDir, "sandboxes");
  for (const id of readdirSync(sandboxes)) {
    const headers = { "x-container-host-token": stack.host.token };
    await fetch(`${stack.host.url}/containers/${id}/destroy`, { method: "POST", headers, body: "{}" });
    rmSync(join(sandboxes, id), { recursive: true, force: true });
  }
}

describe("a Moltbot's memory", () => {
  it("outlives its container", async () => {
    const told = await session.chat("remember: my cat is called Tom", { conversation: "cat" });
    expect(told.data.status, told.text).toBe("done");
    // Ends in order, and so has committed what was said last.
    await session.restart();
    await destroyContainer();
    const { data } = await session.chat("say: are you there?", { conversation: "other" });
    expect(data.status).toBe("done");
    expect((await session.call("file_read", { path: "MEMORY.md" })).text).toContain("my cat is called Tom");
    const history = await session.call("chat_history", { conversation: "cat" });
    expect(history.text).toContain("my cat is called Tom");
  });
});
