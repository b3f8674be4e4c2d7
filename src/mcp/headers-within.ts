/**
 * Passes the request on without its body, which was read. Whatever comes later than this many milliseconds is announced by headers of an event stream, and follows in it.
 */
export async function headersWithin(
  patienceMs: number,
  keepAliveMs: number,
  request: Request,
  respond: (request: Request) => Promise<Response>,
): Promise<Response> {
  const gone = new AbortController();
  const signal = AbortSignal.any([request.signal, gone.signal]);
  const { url, method, headers } = request;
  const response = respond(new Request(url, { method, headers, signal }));
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), patienceMs);
  const early = await Promise.race([response, late]).finally(() => clearTimeout(timer));
  return early ?? streamOf(response, gone, keepAliveMs);
}

/** The stream that will hold the answer; until then comments show that somebody is there. Who closes it cancels the call. */
function streamOf(response: Promise<Response>, gone: AbortController, keepAliveMs: number): Response {
  const encoder = new TextEncoder();
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let quiet: (() => void) | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const sign = encoder.encode(": keepalive\n\n");
      // The first at once: a client that has gone meanwhile is only noticed by writing to it.
      controller.enqueue(sign);
      const alive = setInterval(() => controller.enqueue(sign), keepAliveMs);
      quiet = () => clearInterval(alive);
    },
    async pull(controller) {
      try {
        if (!reader) {
          const come = await response;
          quiet?.();
          if (!come.headers.get("content-type")?.startsWith("text/event-stream")) {
            const text = await come.text();
            if (text !== "") controller.enqueue(encoder.encode(`event: message\ndata: ${text}\n\n`));
            controller.close();
            return;
          }
          reader = come.body?.getReader();
        }
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        quiet?.();
        controller.error(error);
      }
    },
    async cancel(reason) {
      quiet?.();
      gone.abort(reason);
      await reader?.cancel(reason).catch(() => undefined);
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}
