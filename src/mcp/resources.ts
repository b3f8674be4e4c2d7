import type { ReadResourceResult } from "@modelcontextprotocol/server";
import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { Contents } from "../resources/resource.ts";
import type { Call } from "../tools/tool.ts";
import { type McpContext, offered } from "./context.ts";
import { observed } from "./observe.ts";
import { asProtocolError } from "./prompts.ts";

const DEADLINE_MS = 45_000;

/** `resources/read`: the first resource whose address fits. */
export async function readResource(context: McpContext, uri: string, call: Call): Promise<ReadResourceResult> {
  return await asProtocolError(
    async () =>
      await observed(context, "resources/read", { uri }, async () => {
        if (!URL.canParse(uri)) throw notFound();
        using limit = deadline(DEADLINE_MS, call.signal);
        for (const resource of offered(context).resources) {
          const reading = resource.read(new URL(uri), context.services, { ...call, signal: limit.signal });
          const contents = await raced(reading, limit.signal);
          if (contents) return { contents: contents.flatMap(render) };
        }
        throw notFound();
      }),
    { uri },
  );
}

/** A part that is not all says where the next one is: to programs beside it, to models as a line of its own. */
function render({ next, ...part }: Contents): ReadResourceResult["contents"] {
  if (next === undefined) return [part];
  return [
    { ...part, _meta: { "moltbot/next": next } },
    { uri: next, mimeType: "text/plain", text: `[This is not all. The rest is at ${next}]` },
  ];
}

function notFound(): Failure {
  return new Failure("not_found", "There is no such resource.", {
    hint: "resources/list and resources/templates/list tell what there is.",
  });
}
