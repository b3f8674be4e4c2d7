/** One process in the container. */
export interface PlannedProcess {
  argv: readonly string[];
  env: Record<string, string>;
}

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
  /** Runs to its end before the gateway starts. When it fails, the gateway does not start, and its output says why. */
  before: PlannedProcess;
  /**
   * Runs beside the gateway, from before its start until after its end: it is asked to end (SIGTERM) when the gateway is
   * gone, and may take a while. Ends by itself with exit code 3 when the gateway has to be started anew.
   */
  companion: PlannedProcess;
  /** What else runs beside the gateway, by name: started with it, killed with it, started again when it has ended. */
  beside: Record<string, PlannedProcess>;
}

/** Made anew at each start of the gateway, worth nothing once the container stops. */
export interface GatewayTokens {
  /** Opens the gateway. */
  gateway: string;
  /** What the gateway shows to the bridge. */
  bridge: string;
}
