import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { AUTHORIZED_PATH } from "../../local/access-path.ts";
import { type Browser, headlessBrowser } from "../../local/client/browser.ts";
import { driveSignIn } from "../../local/client/drive-sign-in.ts";
import { connect, type Session, signIn } from "./client.ts";

const bot = inject("bot");
const friend = inject("friend");

let mine: Session;
let theirs: Session;
beforeAll(async () => {
  mine = await connect(bot, await signIn(bot));
  theirs = await connect(bot, await signIn(friend));
});
afterAll(async () => {
  await mine?.close();
  await theirs?.close();
});

describe("two people who signed in to one bot", () => {
  it("are two, as their tokens say without a name", () => {
    const [one, other] = [mine.token, theirs.token].map((token) => token.split(":")[0]);
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(other).toMatch(/^[0-9a-f]{32}$/);
    expect(one).not.toBe(other);
  });

  it("do not see, follow or stop each other's chats", async () => {
    const secret = `secret-${crypto.randomUUID()}`;
    const conversation = `private-${crypto.randomUUID().slice(0, 8)}`;
    const { data } = await mine.chat(`say ${secret}`, { conversation });
    expect(data.status).toBe("done");

    const made = crypto.randomUUID();
    for (const name of ["chat_wait", "chat_cancel"]) {
      const foreign = await theirs.call(name, { run_id: data.run_id });
      const unknown = await theirs.call(name, { run_id: made });
      expect(foreign.isError).toBe(true);
      // Word for word like one that never was.
      expect(foreign.text.replaceAll(data.run_id, "")).toBe(unknown.text.replaceAll(made, ""));
    }
    expect((await theirs.call("chat_conversations")).text).not.toContain(conversation);
    expect((await mine.call("chat_conversations")).text).toContain(conversation);
    expect((await theirs.call("chat_history", { conversation })).text).not.toContain(secret);
    expect((await mine.call("chat_history", { conversation })).text).toContain(secret);
  });

  it("may name their conversations alike and mean two", async () => {
    const conversation = `shared-${crypto.randomUUID().slice(0, 8)}`;
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    await mine.chat(`say ${one}`, { conversation });
    await theirs.chat(`say ${other}`, { conversation });
    const [read, readByOther] = [
      await mine.call("chat_history", { conversation }),
      await theirs.call("chat_history", { conversation }),
    ];
    expect(read.text).toContain(one);
    expect(read.text).not.toContain(other);
    expect(readByOther.text).toContain(other);
    expect(readByOther.text).not.toContain(one);
  });

  it("do not list, read or stop each other's commands", async () => {
    const { data } = await mine.call("command_start", { command: "echo mine; sleep 300" });
    try {
      for (const name of ["command_output", "command_stop"]) {
        const foreign = await theirs.call(name, { command_id: data.command_id });
        expect(foreign.isError).toBe(true);
        expect(foreign.text).toContain("There is no such command.");
      }
      expect((await theirs.call("command_list")).text).not.toContain(data.command_id);
      expect((await mine.call("command_list")).text).toContain(data.command_id);
      expect((await mine.call("command_output", { command_id: data.command_id })).data.status).toBe("running");
    } finally {
      const { data: stopped } = await mine.call("command_stop", { command_id: data.command_id });
      expect(stopped.status).toBe("stopped");
    }
  });
});

const grantsSchema = z.object({ grants: z.array(z.object({ id: z.string(), client: z.string() })) });

/** A browser that has gone through the sign-in in front of the pages for people. */
async function visitor(who: { email?: string; password: string }): Promise<Browser> {
  const browser = headlessBrowser();
  const page = `${bot.url}/admin/api/me`;
  const sent = await browser.visit(page, { headers: { accept: "text/html" } });
  await driveSignIn(sent.headers.get("location") ?? "", page, { ...who, decision: "approve" }, browser);
  return browser;
}

describe("the pages for people", () => {
  it("send a browser to the sign-in, and a script nowhere", async () => {
    const page = await fetch(`${bot.url}/admin/api/me`, { headers: { accept: "text/html" }, redirect: "manual" });
    expect(page.status).toBe(302);
    const script = await fetch(`${bot.url}/admin/api/me`, { redirect: "manual" });
    expect(script.status).toBe(401);
  });

  it("know who came in, show that person's grants alone, and take one back", async () => {
    const token = await signIn(friend);
    const grants = async (browser: Browser) =>
      grantsSchema.parse(await (await browser.visit(`${bot.url}/admin/api/grants`)).json()).grants;
    const [me, other] = [await visitor(bot), await visitor(friend)];
    expect(await (await me.visit(`${bot.url}/admin/api/me`)).json()).toMatchObject({ email: "owner@moltbot.local" });
    const [ofMe, ofOther] = [await grants(me), await grants(other)];
    expect(ofMe.length).toBeGreaterThan(0);
    expect(ofOther.map(({ id }) => id)).toContain(token.split(":")[1]);
    expect(ofMe.filter(({ id }) => ofOther.some((grant) => grant.id === id))).toEqual([]);

    const revoked = await other.visit(`${bot.url}/admin/api/grants/revoke`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: bot.url },
      body: JSON.stringify({ id: token.split(":")[1] }),
    });
    expect(revoked.status).toBe(200);
    await expect(connect(bot, token)).rejects.toThrow();
  });

  it("take no sign-in that began in another browser", async () => {
    const browser = headlessBrowser();
    const forged = await browser.visit(`${bot.url}${AUTHORIZED_PATH}?code=x&state=y`);
    expect(forged.status).toBe(400);
  });
});
