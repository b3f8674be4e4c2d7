import { join } from "node:path";

/** Where things are, on this disk and on the bridge. */
export interface Settings {
  /** The bridge's state routes, without a trailing slash. */
  url: string;
  token: string;
  /** The keeper's own folder: its mark on the disk, copies in the making, conversations as text. */
  home: string;
  roots: Roots;
}

/** The folder behind each root of a generation. */
export type Roots = Record<"workspace" | "state" | "conversations", string>;

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const given = (name: string) => {
    const value = env[name];
    if (value === undefined || value === "") throw new Error(`${name} is not set.`);
    return value;
  };
  const home = given("KEEPER_HOME");
  return {
    url: given("KEEPER_URL"),
    token: given("BRIDGE_TOKEN"),
    home,
    roots: {
      workspace: given("KEEPER_WORKSPACE"),
      state: given("KEEPER_STATE"),
      conversations: join(home, "conversations"),
    },
  };
}
