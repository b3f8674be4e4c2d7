import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
import { startStack } from "../../local/stack.ts";
import { connect, type Session, signIn } from "../e2e/client.ts";
import { containerOf, type TestContainer } from "../local/container-under-test.ts";

const answerSchema = z.object({ value: z.unknown().optional(), error: z.string().optional() });

/** How long a busy machine may take to start a gateway, or to end one. Milliseconds. */
export const PATIENCE = 300_000;

export interface LifecycleStack extends AsyncDisposable {
  session: Session;
  /** The container, past the Worker: to break things in it. */
  box: TestContainer;
  /** Settings from now on, in place of those before. */
  tell(settings: { sleepAfter?: string; capHours?: number; badKey?: string }): Promise<void>;
  /** A method of the sandbox's object. */
  object: (method: string, ...args: unknown[]) => Promise<unknown>;
  /** What bot_status says. */
  status(): Promise<Record<string, unknown>>;
  becomes(phase: string, ms?: number): Promise<Record<string, unknown>>;
}

/** A Moltbot of one file's own, asleep, whose sandbox's object can be spoken to. */
export async function lifecycleStack(): Promise<LifecycleStack> {
  const stateDir = mkdtempSync(join(tmpdir(), "moltbot-lifecycle-"));
  const stack = await startStack({
    stateDir,
    entry: join(import.meta.dirname, "fixture", "worker.ts"),
    variables: {},
  });
  const bot = { url: stack.url, password: readFileSync(stack.passwordFile, "utf8").trim() };
  const session = await connect(bot, await signIn(bot));
  const object = async (method: string, ...args: unknown[]) => {
    const response = await fetch(`${stack.url}/test/${method}`, { method: "POST", body: JSON.stringify(args) });
    const { value, error } = answerSchema.parse(await response.json());
    if (error !== undefined) throw new Error(error);
    return value;
  };
  const status = async () => (await session.call("bot_status")).data;
  return {
    session,
    box: containerOf(stack.host, z.string().parse(await object("containerId"))),
    tell: async (settings) => void (await object("tell", settings)),
    object,
    status,
    async becomes(phase, ms = PATIENCE) {
      await expect.poll(status, { timeout: ms, interval: 300 }).toMatchObject({ phase });
      return await status();
    },
    async [Symbol.asyncDispose]() {
      await session.close();
      await stack.close();
      rmSync(stateDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

/** Kills the gateway as its own machine would; false when there was none. */
export async function killGateway(box: TestContainer): Promise<boolean> {
  return await box.sh("pkill -KILL -f '[o]penclaw.gateway'").then(
    () => true,
    () => false,
  );
}
