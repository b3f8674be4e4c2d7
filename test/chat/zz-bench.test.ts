import { test } from "vitest";
import { appendFileSync } from "node:fs";
import { helloOk, scriptedGateway } from "../gateway/scripted-gateway.ts";
import { chatStack } from "./stack.ts";
const q = (xs: number[], p: number) => [...xs].sort((a, b) => a - b)[Math.floor(xs.length * p)]!.toFixed(1);
test("x", async () => {
  const g = await scriptedGateway(({ id, method, params }, { send }) => { if (method === "connect") return send(helloOk(id)); const p = Object(params); send({ type: "res", id, ok: true, payload: { runId: p.idempotencyKey } }); const m = { message: { role: "assistant", content: [{ type: "text", text: "hello" }] } }; const ev = (state: string) => send({ type: "event", event: "chat", payload: { runId: p.idempotencyKey, sessionKey: p.sessionKey, seq: 1, state, deltaText: "hello", ...m } }); ev("delta"); ev("final"); });
  const chat = await chatStack(g);
  const s: number[] = [], a: number[] = [], st: number[] = [];
  for (let i = 0; i < 60; i++) { const t = performance.now(); const { runId } = await chat.ok("send", "ann", { message: "hi" }); const t1 = performance.now(); await chat.all("ann", runId); const t2 = performance.now(); await chat.ok("status"); if (i > 10) { s.push(t1 - t); a.push(t2 - t); st.push(performance.now() - t2); } }
  appendFileSync("/tmp/h2/bench.out", `send ${q(s, .5)} send+follow ${q(a, .5)} empty call ${q(st, .5)}\n`);
  await chat.close(); g.close();
}, 60000);
