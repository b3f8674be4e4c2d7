import { describe, expect, it } from "vitest";
import { headersWithin } from "../../../src/mcp/headers-within.ts";

const request = () => new Request("https://moltbot.example/mcp", { method: "POST", headers: { "x-test": "1" } });

describe("an answer", () => {
  it("is passed on as it is when it comes soon", async () => {
    const soon = await headersWithin(60_000, 60_000, request(), async (passed) =>
      Response.json({ header: passed.headers.get("x-test") }, { status: 400 }),
    );
    expect(soon.status).toBe(400);
    expect(await soon.json()).toEqual({ header: "1" });
  });

  it("follows in a stream when it is late, after signs of life", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const response = await headersWithin(1, 1, request(), () => promise);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe(": keepalive\n\n");
    resolve(Response.json({ late: true }));
    let rest = "";
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) rest += part.value;
    expect(rest).toContain('event: message\ndata: {"late":true}\n\n');
  });

  it("goes on as the stream that it is", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const response = await headersWithin(1, 60_000, request(), () => promise);
    const stream = new Response("data: 1\n\ndata: 2\n\n", { headers: { "content-type": "text/event-stream" } });
    resolve(stream);
    expect(await response.text()).toBe(": keepalive\n\ndata: 1\n\ndata: 2\n\n");
  });

  it("is cancelled by whoever closes the stream", async () => {
    let told: AbortSignal | undefined;
    const response = await headersWithin(1, 60_000, request(), (passed) => {
      told = passed.signal;
      return new Promise(() => {});
    });
    expect(told?.aborted).toBe(false);
    await response.body?.cancel();
    expect(told?.aborted).toBe(true);
  });
});
