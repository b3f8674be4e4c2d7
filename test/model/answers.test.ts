import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SESSION, startBridge, type TestBridge, WAYS } from "./bridge-stack.ts";
import { startProvider, type TestProvider } from "./provider.ts";

let bridge: TestBridge;
let first: TestProvider;
let second: TestProvider;
beforeAll(async () => {
  [bridge, first, second] = await Promise.all([startBridge(), startProvider(), startProvider()]);
});
afterAll(async () => {
  await Promise.all([bridge.close(), first.close(), second.close()]);
});
beforeEach(() => {
  first.behave({ kind: "answer", text: "from the first" });
  second.behave({ kind: "answer", text: "from the second" });
  first.asked.length = 0;
  second.asked.length = 0;
});

const KEY = "sk-ant-0123456789-secret";
const two = () => ({
  MODEL: "one",
  ANTHROPIC_BASE_URL: first.url,
  ANTHROPIC_API_KEY: KEY,
  MODEL_FALLBACKS: "ai-gateway/anthropic/two",
  AI_GATEWAY_URL: second.url,
  MODEL_PRICES: "one=10/100,two=1/1",
});

/** The three APIs, each with one provider. */
const APIS = {
  "/v1/messages": () => ({ MODEL: "one", ANTHROPIC_BASE_URL: first.url }),
  "/chat/completions": () => ({ MODEL: "compatible/one", COMPATIBLE_BASE_URL: first.url }),
  "/responses": () => ({ MODEL: "compatible/one", COMPATIBLE_BASE_URL: first.url, MODEL_API: "responses" }),
};

describe.each(Object.entries(APIS))("an answer by %s", (path, variables) => {
  it("is passed on byte by byte, with what it cost counted", async () => {
    const direct = await fetch(`${first.url}${path}`, { method: "POST", body: '{"stream":true}' });
    const bytes = await direct.text();
    const { ask, kept } = bridge.fresh(variables());
    const answer = await ask(`/model${path}`);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toBe(bytes);
    await expect
      .poll(async () => (await kept()).usage.value.total, { timeout: 30_000 })
      .toMatchObject({ calls: 1, failed: 0, input: 100, cached: 30, output: 7 });
  });

  it("in one piece is counted too", async () => {
    const { ask, kept } = bridge.fresh(variables());
    const answer = await ask(`/model${path}`, '{"model":"moltbot"}');
    expect(await answer.text()).toContain("from the first");
    await expect
      .poll(async () => (await kept()).usage.value.total, { timeout: 30_000 })
      .toMatchObject({ calls: 1, input: 100, output: 7 });
  });

  it("that breaks off is told in the API's own words, and nobody is asked again", async () => {
    first.behave({ kind: "drop", text: "the beginning" });
    const { ask, kept } = bridge.fresh(variables());
    const text = await (await ask(`/model${path}`)).text();
    expect(text).toContain("the beginning");
    expect(text).toMatch(/data: \{[^\n]*"message":"The model's answer broke off\."[^\n]*\}\n\n$/);
    expect(first.asked).toHaveLength(1);
    await expect.poll(async () => (await kept()).journal, { timeout: 30_000 }).toMatchObject([{ outcome: "broken" }]);
  });

  it("that none gives is an error in the API's own form, which the gateway takes as final", async () => {
    first.behave({ kind: "status", status: 401 });
    const { ask } = bridge.fresh(variables());
    const answer = await ask(`/model${path}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining("did not accept the key (401)") },
    });
    expect(first.asked).toHaveLength(1);
  });
});

describe.each(WAYS)("a stream to a container that asked %s", (way) => {
  it("is passed on as it comes: the first word is there while the provider still thinks of the next", async () => {
    first.behave({ kind: "answer", text: "word ", pieces: 50, paceMs: 200 });
    const { ask } = bridge.fresh(two(), way);
    const reader = (await ask("/model/v1/messages")).body?.getReader();
    let heard = "";
    while (!heard.includes("word ")) heard += new TextDecoder().decode((await reader?.read())?.value);
    expect(first.asked[0]?.done).toBe(false);
    await reader?.cancel();
  });

  it("is left by the bridge when the container goes, and the provider stops", async () => {
    first.behave({ kind: "answer", text: "word ", pieces: 1_000, paceMs: 20 });
    const { ask, kept } = bridge.fresh(two(), way);
    const reader = (await ask("/model/v1/messages")).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => first.asked[0]?.left, { timeout: 60_000 }).toBe(true);
    await expect
      .poll(async () => (await kept()).journal, { timeout: 30_000 })
      .toMatchObject([{ outcome: "cancelled" }]);
  });

  it("is not read ahead of the container: a provider is held up by who does not listen", async () => {
    const text = "x".repeat(10_000);
    first.behave({ kind: "answer", text, pieces: 4_000 });
    const { ask } = bridge.fresh(two(), way);
    const answer = await ask("/model/v1/messages");
    const reader = answer.body?.getReader();
    await reader?.read();
    // 40 MB are more than all buffers on the way; whoever sent them all was not held up.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(first.asked[0]?.done).toBe(false);
    let bytes = 0;
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
      bytes += piece.value.length;
    expect(bytes).toBeGreaterThan(39_000_000);
    expect(first.asked[0]?.done).toBe(true);
  });

  it("never has a key in it, wherever the provider cuts it in two", async () => {
    first.behave({ kind: "echo" });
    const { ask } = bridge.fresh(two(), way);
    const text = await (await ask("/model/v1/messages")).text();
    expect(text).toContain("[redacted]");
    expect(text).not.toContain(KEY);
  });
});

describe("a provider that fails", () => {
  it("is not waited for: after two silent seconds the next is asked beside it, and the slower one is let go", async () => {
    first.behave({ kind: "hang" });
    const { ask, kept } = bridge.fresh(two());
    expect(await (await ask("/model/v1/messages")).text()).toContain("from the second");
    await expect.poll(() => first.asked[0]?.left, { timeout: 60_000 }).toBe(true);
    expect((await kept()).turns).toEqual([{ session: SESSION, model: "ai-gateway/anthropic/two" }]);
  });

  it("is given time to think when it shows that it lives", async () => {
    first.behave({ kind: "answer", text: "thought", pieces: 1, paceMs: 3_000 });
    const { ask } = bridge.fresh(two());
    expect(await (await ask("/model/v1/messages")).text()).toContain("thought");
    expect(second.asked).toHaveLength(0);
  });

  it("is left alone for as long as it asks to", async () => {
    first.behave({ kind: "status", status: 429, headers: { "retry-after": "60" } });
    const { ask } = bridge.fresh(two());
    await (await ask("/model/v1/messages")).text();
    await (await ask("/model/v1/messages")).text();
    expect([first.asked.length, second.asked.length]).toEqual([1, 2]);
  });

  it("is left alone even when there is nobody else: the caller hears how long", async () => {
    first.behave({ kind: "status", status: 429, headers: { "retry-after": "60" } });
    const { ask, kept } = bridge.fresh({ ANTHROPIC_BASE_URL: first.url });
    await (await ask("/model/v1/messages")).text();
    const answer = await ask("/model/v1/messages");
    expect(await answer.text()).toMatch(/asked again too soon, for (59|60) s more/);
    expect(first.asked).toHaveLength(1);
    expect((await kept()).turns.at(-1)).toMatchObject({ session: SESSION, failure: { code: "limited" } });
  });

  it("twice in a row is not asked first any more, until the others fail too", async () => {
    first.behave({ kind: "status", status: 500 });
    const { ask } = bridge.fresh(two());
    for (let n = 0; n < 3; n++) await (await ask("/model/v1/messages")).text();
    expect([first.asked.length, second.asked.length]).toEqual([2, 3]);
    second.behave({ kind: "reset" });
    first.behave({ kind: "answer", text: "well again" });
    expect(await (await ask("/model/v1/messages")).text()).toContain("well again");
  });

  it("with a faulty request is not to blame: its refusal is passed on, without the key it repeats", async () => {
    first.behave({ kind: "status", status: 400 });
    const { ask, kept } = bridge.fresh(two());
    const answer = await ask("/model/v1/messages");
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(text).toContain("you sent");
    expect(text).not.toContain(KEY);
    expect(second.asked).toHaveLength(0);
    expect((await kept()).turns).toMatchObject([
      { failure: { message: expect.stringContaining("refused the request (400)") } },
    ]);
  });

  it("for want of money is passed by, though it calls that a faulty request", async () => {
    first.behave({
      kind: "status",
      status: 400,
      body: '{"error":{"message":"Your credit balance is too low to access the Anthropic API."}}',
    });
    const { ask } = bridge.fresh(two());
    expect(await (await ask("/model/v1/messages")).text()).toContain("from the second");
  });

  it("whose trouble may pass is asked once more when there is nobody else", async () => {
    first.behave({ kind: "status", status: 529 });
    const { ask } = bridge.fresh({ ANTHROPIC_BASE_URL: first.url });
    const answer = ask("/model/v1/messages");
    await expect.poll(() => first.asked.length, { timeout: 30_000 }).toBe(1);
    first.behave({ kind: "answer", text: "recovered" });
    expect(await (await answer).text()).toContain("recovered");
    expect(first.asked).toHaveLength(2);
  });

  it("as all do, by silence: one error, and each was asked at most twice", async () => {
    first.behave({ kind: "hang" });
    second.behave({ kind: "think" });
    const { ask } = bridge.fresh({ ...two(), MODEL_PATIENCE_SECONDS: "3", MODEL_FALLBACKS: "compatible-no" });
    const answer = await ask("/model/v1/messages");
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("was silent");
    expect(first.asked.length).toBeLessThanOrEqual(4);
  });
});

describe("the day's budget", () => {
  it("stops calls once it is used up, without asking anybody", async () => {
    const { ask, kept } = bridge.fresh({ ...two(), MODEL_DAILY_TOKENS: "150" });
    await (await ask("/model/v1/messages")).text();
    await expect.poll(async () => (await kept()).usage.value.total.calls, { timeout: 30_000 }).toBe(1);
    await (await ask("/model/v1/messages")).text();
    await expect.poll(async () => (await kept()).usage.value.total.calls, { timeout: 30_000 }).toBe(2);
    const answer = await ask("/model/v1/messages");
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("budget for today is used up: 214 of 150 tokens");
    expect(first.asked).toHaveLength(2);
  });

  it("in dollars goes by the price of the model that answered", async () => {
    // 70 of the input were not cached; this price list has one price for both.
    const { ask, kept } = bridge.fresh({ ...two(), MODEL_DAILY_USD: "0.0017" });
    await (await ask("/model/v1/messages")).text();
    await expect
      .poll(async () => (await kept()).usage.value.models, { timeout: 30_000 })
      .toMatchObject([{ model: "anthropic/one", usd: expect.closeTo((100 * 10 + 7 * 100) / 1e6, 9), unpriced: 0 }]);
    expect(await (await ask("/model/v1/messages")).text()).toContain("about $0.00 of $0.00");
  });
});
