/** What there is to say of each toolset; the others speak for themselves. */
const TOOLSETS: Record<string, string> = {
  chat: `chat_send talks to it. Answers may take a while: when the status is "running", go on with chat_wait and the run_id and cursor you were given; sending the message again would only repeat it. Give an idempotency_key when you may have to retry. Use the same conversation name to go on with a conversation. On waiting_for_approval, ask your person, then chat_approve.`,
  memory:
    "memory_search finds what it wrote down and what was said; memory_read reads it. Both work while it sleeps and cost nothing.",
  command:
    "command_run runs one bash command in the sandbox and waits up to 45 s; command_start, command_output and command_stop are for builds, servers and the like.",
  file: "file_read, file_write and file_list work on the sandbox's files; relative paths are under /workspace, where the bot works too.",
  bot: "bot_status tells whether the bot is up without waking it; bot_restart helps when it does not start; bot_jobs has it do something by the clock.",
};

/** Taught to the model on the other side when it connects, of what it is offered only. At most 1,500 characters. */
export function instructionsFor(toolsets: readonly string[], readOnly: boolean): string {
  const known = toolsets.flatMap((name) => (Object.hasOwn(TOOLSETS, name) ? [`- ${TOOLSETS[name]}`] : []));
  return [
    "This server is somebody's own Moltbot: a personal assistant with a memory, living in a sandbox of its own.",
    known.join("\n"),
    readOnly ? "This connection is read-only: only the tools that change nothing are offered." : "",
    "Every error says what to do next. Results that were cut say so, and how to read the rest.",
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
