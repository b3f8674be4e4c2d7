export const BRIDGE_PATH = "/bridge/";
export const MODEL_PATH = "/bridge/model";
export const STATE_PATH = "/bridge/state";
export const CDP_PATH = "/bridge/cdp";
