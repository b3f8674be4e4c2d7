import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { visitor } from "../admin/visitor.ts";
import { TestClient } from "../auth/client.ts";
import { type AuthStack, authStack, FRIEND, OWNER, SERVICE_TOKEN } from "../auth/stack.ts";

let stack: AuthStack;
let ticket: string;
beforeAll(async () => {
  stack = await authStack();
  ticket = await stack.issuer.ticket({ sub: "", email: OWNER.email });
});
afterAll(() => stack.close());

const PATH = "/admin/terminal?cols=100&rows=30";

interface Opening {
  origin?: string;
  ticket?: string;
  path?: string;
}

function dial({ origin, ticket: shown, path = PATH }: Opening): WebSocket {
  return new WebSocket(`${stack.url.replace("http", "ws")}${path}`, {
    ...(origin === undefined ? {} : { origin }),
    headers: shown === undefined ? {} : { cookie: `CF_Authorization=${shown}` },
  });
}

/** The status and the code of the refusal. */
async function refusal(opening: Opening): Promise<[number, string | undefined]> {
  const socket = dial(opening);
  socket.on("error", () => undefined);
  const [, answer] = await Promise.race([
    once(socket, "unexpected-response"),
    once(socket, "open").then(() => Promise.reject(new Error("It was let in."))),
  ]);
  let text = "";
  for await (const part of answer) text += String(part);
  return [
    answer.statusCode,
    z.object({ error: z.object({ code: z.string() }) }).safeParse(JSON.parse(text)).data?.error.code,
  ];
}

/** A terminal, and all that came of it. */
class Shell {
  shown = "";
  readonly told: Record<string, unknown>[] = [];
  closed: number | undefined;
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer, isBinary) => {
      const text = data.toString();
      if (isBinary) this.shown += text;
      else this.told.push(JSON.parse(text));
    });
    socket.on("close", (code) => (this.closed = code));
  }

  type(text: string): void {
    this.socket.send(Buffer.from(text));
  }

  async shows(wanted: string | RegExp): Promise<void> {
    await expect.poll(() => this.shown).toMatch(wanted);
  }

  async tells(type: string): Promise<void> {
    await expect.poll(() => this.told.map((message) => message.type)).toContain(type);
  }
}

describe("the terminal", () => {
  it("is refused to strangers, to other sites and to who may not run commands, and starts nothing for them", async () => {
    const friend = await stack.issuer.ticket({ sub: "", email: FRIEND.email });
    const service = await stack.issuer.ticket({ sub: "", common_name: SERVICE_TOKEN });
    const before = await stack.counts();
    const own = stack.url;
    expect(await refusal({ origin: own })).toEqual([401, "unauthorized"]);
    expect(await refusal({ origin: own, ticket: "guessed" })).toEqual([401, "unauthorized"]);
    for (const origin of [
      "https://elsewhere.example",
      "null",
      own.replace("localhost", "ui.localhost"),
      `${own}.example`,
    ]) {
      expect(await refusal({ origin, ticket })).toEqual([403, "forbidden"]);
    }
    expect(await refusal({ ticket })).toEqual([403, "forbidden"]);
    // From its own page, but nobody has let a client run commands yet.
    expect(await refusal({ origin: own, ticket })).toEqual([403, "forbidden"]);
    expect(await refusal({ origin: own, ticket: friend })).toEqual([403, "forbidden"]);
    expect(await refusal({ ticket: service })).toEqual([403, "forbidden"]);
    const plain = await fetch(`${own}${PATH}`, { headers: { cookie: `CF_Authorization=${ticket}`, origin: own } });
    expect(plain.status).toBe(400);
    expect(await stack.counts()).toEqual({ ...before, starts: 0, running: false });
  });

  it("runs a shell in the jail, shows what it says and takes the size of its window", async () => {
    await (await TestClient.register(stack.url)).tokens(["chat", "exec"]);
    expect(await refusal({ origin: stack.url, ticket, path: "/admin/terminal?cols=0" })).toEqual([
      400,
      "invalid_input",
    ]);
    const shell = new Shell(dial({ origin: stack.url, ticket }));
    await shell.tells("ready");
    shell.type("echo $((6 * 7))-from-$PWD\n");
    await shell.shows("42-from-/workspace");
    shell.type("stty size\n");
    await shell.shows(/30 100/);
    shell.socket.send(JSON.stringify({ type: "resize", cols: 132, rows: 43 }));
    await expect
      .poll(() => {
        shell.type("stty size\n");
        return shell.shown;
      })
      .toContain("43 132");
    // What is not UTF-8 and not a line passes too, and what a program wants to see of the terminal.
    shell.type("test -t 0 && test -t 1 && echo both-are-terminals; printf '\\xff\\x00' | od -An -tx1\n");
    await shell.shows("both-are-terminals");
    await shell.shows("ff 00");
    // In the jail: nothing of the machine's own is there.
    shell.type(`test -e ${import.meta.dirname} || echo nothing-of-yours\n`);
    await shell.shows(/nothing-of-yours\r?\n/);

    // Another tab of the same person begins with what this one shows, and types into the same shell.
    const other = new Shell(dial({ origin: stack.url, ticket }));
    await other.tells("ready");
    await other.shows("42-from-/workspace");
    other.type("echo typed-$((1 + 1))\n");
    await shell.shows("typed-2");
    other.socket.close(1000);

    shell.type("exit 3\n");
    await shell.tells("exit");
    expect(shell.told.at(-1)).toMatchObject({ type: "exit", code: 3 });
    await expect.poll(() => shell.closed).toBe(1000);
  });

  it("ends what runs in the foreground at Ctrl-C, and survives a megabyte of output", async () => {
    const shell = new Shell(dial({ origin: stack.url, ticket }));
    await shell.tells("ready");
    shell.type("sleep 1000\n");
    await new Promise((resolve) => setTimeout(resolve, 500));
    shell.type("\u0003");
    shell.type("echo after-$?\n");
    await shell.shows("after-130");
    shell.type("yes 0123456789 | head -c 1000000; echo; echo that-$((40 + 2))-was-all\n");
    await shell.shows("that-42-was-all");
    expect(shell.shown.length).toBeGreaterThan(1_000_000);
    shell.socket.close(4001, "done");
    await expect.poll(() => shell.closed).toBeDefined();
  });

  it("is in the journal with who opened and closed it, and with what was refused", async () => {
    const owner = await visitor(stack, { email: OWNER.email });
    const entries = async (): Promise<Record<string, string>[]> =>
      (await owner.read("journal?kind=admin&limit=200")).entries;
    await expect.poll(async () => (await entries()).filter(({ action }) => action === "terminal/close").length).toBe(3);
    const opened = (await entries()).filter(({ action }) => action === "terminal/open");
    expect(opened.filter(({ outcome }) => outcome === "ok")).toHaveLength(3);
    expect(opened.some(({ outcome }) => outcome === "forbidden")).toBe(true);
    const owners = new Set(
      (await entries())
        .filter(({ action, outcome }) => action?.startsWith("terminal/") && outcome === "ok")
        .map(({ principal }) => principal),
    );
    expect(owners.size).toBe(1);
    expect(JSON.stringify(await entries())).not.toContain("from-");
  });
});
