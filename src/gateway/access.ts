/** What this folder and the chats need of the gateway's host; the composition root implements it. */
export interface GatewayAccess {
  /** Starts the gateway when it is not running (single-flight on the other side); resolves when it answers /startupz. Throws Failure. */
  ready(signal?: AbortSignal): Promise<{ token: string }>;
  /** A WebSocket to the gateway, accepted and open. */
  socket(): Promise<WebSocket>;
  /**
   * Plain HTTP to the gateway's port, path like "/api/v1/admin/rpc". Without a signal: the request may cross to
   * another object, and a signal cannot go along. Who wants to stop waiting stops waiting.
   */
  fetch(path: string, init?: Omit<RequestInit, "signal">): Promise<Response>;
}
