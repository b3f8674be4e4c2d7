import type { Client } from "@modelcontextprotocol/client";
import { z } from "zod";
import { Failure, FAILURES, type FailureCode } from "../../src/core/failure.ts";

export interface Message {
  text: string;
  conversation?: string;
  attachments?: { mime_type: string; data: string; name: string }[];
}

export interface Picture {
  mimeType: string;
  data: string;
}

/** What happens while the Moltbot answers. */
export interface Listener {
  /** The next piece of the answer. */
  text(piece: string): void;
  /** Something it does meanwhile, such as "exec: ls". */
  step(what: string): void;
}

/** Marks a progress message as a step; the server puts it there. */
const STEP = "⚙ ";

/** Longer than the server waits before it answers "running". */
const CALL_TIMEOUT_MS = 90_000;

const runSchema = z.looseObject({
  run_id: z.string(),
  conversation: z.string().optional(),
  status: z.enum(["running", "done", "failed", "cancelled"]),
  text: z.string().optional(),
  cursor: z.number(),
  waiting_for_approval: z.looseObject({ approval_id: z.string(), title: z.string().optional() }).optional(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
export type Run = z.output<typeof runSchema>;

/** Says one thing to the Moltbot and follows the answer to its end. Its failures are in the run, the call's are thrown. */
export async function talk(
  client: Client,
  message: Message,
  listener: Listener,
): Promise<{ run: Run; pictures: Picture[] }> {
  const { text, ...rest } = message;
  let { run, pictures } = await call(client, "chat_send", { message: text, ...rest }, listener);
  const { conversation } = run;
  while (run.status === "running") {
    const next = await call(client, "chat_wait", { run_id: run.run_id, cursor: run.cursor }, listener);
    // chat_wait does not repeat the conversation.
    run = { ...next.run, ...(conversation === undefined ? {} : { conversation }) };
    pictures = pictures.concat(next.pictures);
  }
  return { run, pictures };
}

async function call(client: Client, name: string, input: Record<string, unknown>, listener: Listener) {
  const result = await client.callTool(
    { name, arguments: input },
    {
      timeout: CALL_TIMEOUT_MS,
      resetTimeoutOnProgress: true,
      onprogress({ message }) {
        if (message === undefined) return;
        if (message.startsWith(STEP)) listener.step(message.slice(STEP.length));
        else listener.text(message);
      },
    },
  );
  const run = runSchema.safeParse(result.structuredContent);
  if (run.success) {
    const pictures = result.content.flatMap((block) => (block.type === "image" ? [block] : []));
    return { run: run.data, pictures };
  }
  const said = result.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
  const [first = "The server gave no answer.", ...others] = said.split("\n");
  throw new Failure("upstream", first, others.length > 0 ? { hint: others.join("\n") } : {});
}

/** The failure of a run that did not end well. */
export function failureOf(run: Run): Failure | undefined {
  if (run.status === "cancelled") return new Failure("cancelled", "The answer was cancelled.");
  if (run.status !== "failed") return undefined;
  const { code, message, hint } = run.error ?? {
    code: "upstream",
    message: "The Moltbot could not answer.",
    hint: undefined,
  };
  return new Failure(isCode(code) ? code : "upstream", message, hint === undefined ? {} : { hint });
}

function isCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}
