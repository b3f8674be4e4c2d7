/** How to start the Moltbot gateway in the container; made by the composition root, for this folder knows no gateway. */
export interface GatewayPlan {
  /** argv of the gateway process. */
  argv: readonly string[];
  env: Record<string, string>;
  /** Written before it starts. */
  files: readonly { path: string; content: string }[];
  port: number;
  /** Answers 200 once the gateway can be used. */
  readyPath: string;
}

/** Made anew at each start of the gateway, worth nothing once the container stops. */
export interface GatewayTokens {
  /** Opens the gateway. */
  gateway: string;
  /** What the gateway shows to the bridge. */
  bridge: string;
}

export interface GatewayStatus {
  phase: "asleep" | "starting" | "ready" | "failed";
  /** How often the gateway was started since this bot was set up. */
  starts: number;
  /** Since when the gateway is ready, ISO 8601. */
  readySince?: string;
  /** Why it does not start; with the end of its log. */
  reason?: string;
}
