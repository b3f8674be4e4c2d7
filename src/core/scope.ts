export const SCOPE_NAMES = ["chat", "memory", "exec", "browser", "control"] as const;

export type Scope = (typeof SCOPE_NAMES)[number];

/** What an MCP client may be allowed to do, in the words the consent page uses. */
export const SCOPES: Record<Scope, string> = {
  chat: "Chat with your Moltbot and read its conversations",
  memory: "Search and read what your Moltbot remembers: its notes and conversations, also while it sleeps",
  exec: "Run commands, and read and change files, in its sandbox",
  browser: "Use a web browser of its own, with the secrets you keep for it",
  control: "Restart your Moltbot, tell it what to do by the clock, and put an older state of its memory back",
};
