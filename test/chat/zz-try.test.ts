import { test } from "vitest";
import { liveGateway } from "../gateway/live-gateway.ts";
import { chatStack, shown, end } from "./stack.ts";
test("x", async () => {
  const g = await liveGateway(); await g.ready();
  const chat = await chatStack(g);
  const go = async (message: string, more: object = {}) => { const t = Date.now(); const r = await chat.ok("send","ann",{message, conversation: "t", ...more}); const ev = await chat.all("ann", r.runId); const e = end(ev); console.log(JSON.stringify(message), Date.now()-t, "ms", ev.length, "events", e.status, e.text.length, e.text === shown(ev), JSON.stringify(e.text.slice(0, 500)), JSON.stringify(e.error ?? null), JSON.stringify(ev.filter(x=>x.type!=="text"&&x.type!=="end"))); };
  try {
  await go("say: hi"); 
  await go("look", { attachments: [{ mimeType: "application/pdf", data: Buffer.from("%PDF-1.4 x").toString("base64"), name: "a.pdf" }] });
  await go("look", { attachments: [{ mimeType: "application/octet-stream", data: Buffer.from([0,1,2,3]).toString("base64"), name: "a.bin" }] });
  await go("look", { attachments: [{ mimeType: "image/png", data: Buffer.from("not an image").toString("base64"), name: "a.png" }] });
  await go("say: NO_REPLY"); await go("say: NO_REPLY", {conversation:"u"}); await go("stop");
  console.log(JSON.stringify(await chat.ok("history","ann","t",{limit:30})).slice(0,3000));
  } finally { console.log(chat.log().filter(l=>l.includes("warn")).join('\n').slice(0,3000)); await chat.close(); await g.close(); }
}, 190000);
