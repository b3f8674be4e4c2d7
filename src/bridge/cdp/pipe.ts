import { closeAs } from "../../core/close-code.ts";
import type { Screened } from "./screen.ts";

/** Couples a client's socket with the browser's: what one says the other hears, and both end together. */
export function pipe(options: {
  client: WebSocket;
  browser: WebSocket;
  screen: (message: string) => Screened;
  /** At each message of the client. */
  onUse: () => void;
  onEnd: () => void;
}): void {
  const { client, browser, screen, onUse, onEnd } = options;
  let ended = false;
  const end = (event: { code: number; reason: string }) => {
    if (ended) return;
    ended = true;
    closeAs(client, event);
    closeAs(browser, event);
    onEnd();
  };
  client.accept();
  browser.accept();
  client.addEventListener("message", ({ data }) => {
    if (ended) return;
    onUse();
    if (typeof data !== "string") return end({ code: 1003, reason: "DevTools messages are text." });
    const screened = screen(data);
    switch (screened.type) {
      case "pass":
        browser.send(screened.message);
        return;
      case "answer":
        client.send(screened.message);
        return;
      case "end":
        client.send(screened.message);
        end({ code: 1000, reason: "" });
    }
  });
  browser.addEventListener("message", ({ data }) => {
    if (!ended) client.send(data);
  });
  for (const socket of [client, browser]) {
    socket.addEventListener("close", end);
    socket.addEventListener("error", () => end({ code: 1011, reason: "The connection broke." }));
  }
}
