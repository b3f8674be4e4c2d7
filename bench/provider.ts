import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A model provider in a process of its own, so that whoever asks it directly is no better off than the Worker. The
 * path says how it answers: /<pieces>/<ms between them>/v1/messages. Its first line of output is its port.
 */
const server = createServer((request, response) => {
  request.resume();
  request.once("end", () => void answer(request.url ?? "", response));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`);
});

const event = (value: { type: string; [field: string]: unknown }) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;

async function answer(url: string, response: ServerResponse): Promise<void> {
  const [, pieces = "1", pace = "0"] = /^\/(\d+)\/(\d+)\//.exec(url) ?? [];
  const delta = { type: "text_delta", text: "eight words of an answer, as they come " };
  const piece = event({ type: "content_block_delta", index: 0, delta });
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(event({ type: "message_start", message: { usage: { input_tokens: 14_000, output_tokens: 1 } } }));
  for (let sent = 0; sent < Number(pieces) && !response.destroyed; sent++) {
    if (sent > 0 && pace !== "0") await sleep(Number(pace));
    if (!response.write(piece)) await once(response, "drain");
  }
  response.end(
    event({ type: "message_delta", delta: {}, usage: { output_tokens: 7 } }) + event({ type: "message_stop" }),
  );
}
