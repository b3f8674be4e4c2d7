import { Failure } from "../core/failure.ts";
import { unwrap } from "../core/reply.ts";
import { answerText } from "../chat/answer.ts";
import { ANSWER_SCHEME, answerUri } from "../tools/link.ts";
import { wholeNumber } from "./file.ts";
import { defineResource } from "./resource.ts";

/** Characters. */
const SLICE = 20_000;

export const chatAnswer = defineResource({
  name: "answer",
  title: "An answer of the Moltbot",
  description: `What the Moltbot has answered to a message so far, by the run_id that chat_send gave: ${SLICE} characters from offset on.`,
  uri: "moltbot-answer:///{run_id}{?offset}",
  mimeType: "text/markdown",
  scope: "chat",
  toolset: "chat",
  needs: ["chat"],
  complete: {
    run_id: async (_typed, { chat }, { principal }) => unwrap(await chat.runs(principal)).map(({ runId }) => runId),
  },
  async read(uri, { chat }, call) {
    if (uri.protocol !== ANSWER_SCHEME || uri.host !== "") return undefined;
    const runId = uri.pathname.slice(1);
    const offset = wholeNumber(uri, "offset", 0);
    const { text } = await answerText(chat, call.principal, runId, call.signal);
    if (offset > text.length) throw new Failure("invalid_input", `The answer has ${text.length} characters.`);
    const end = offset + SLICE;
    return [
      {
        uri: answerUri(runId, offset),
        mimeType: "text/markdown",
        text: text.slice(offset, end),
        ...(end < text.length ? { next: answerUri(runId, end) } : {}),
      },
    ];
  },
});
