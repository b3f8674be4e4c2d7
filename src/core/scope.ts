export const SCOPE_NAMES = ["chat", "exec", "control"] as const;

export type Scope = (typeof SCOPE_NAMES)[number];

/** What an MCP client may be allowed to do, in the words the consent page uses. */
export const SCOPES: Record<Scope, string> = {
  chat: "Chat with your Moltbot and read its conversations",
  exec: "Run commands, and read and change files, in its sandbox",
  control: "Restart your Moltbot",
};
