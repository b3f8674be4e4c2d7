import type { Stack } from "./stack.ts";

/** What the person sees once everything is up: where it is, how to connect, and what answers. */
export function banner(stack: Stack, model: { isReal: boolean; name: string }, folder: string): string {
  const mcp = `${stack.url}/mcp`;
  const answering = model.isReal
    ? `  Model      ${model.name}`
    : `  Model      STAND-IN, NOT AN AI: it only echoes and follows scripts (docs/stand-in-model.md).
             For a real one, put ANTHROPIC_API_KEY=… into .dev.vars and start again.`;
  return `
  Your Moltbot is ready.

  MCP        ${mcp}
${answering}
  Its page   ${stack.url}/admin/
  Control UI ${stack.controlUrl}
  Sign in    with the password in ${stack.passwordFile}

  Talk to it           npm run chat -- "hello"
  A token for scripts  npm run -s token
  Claude Code          claude mcp add --transport http moltbot ${mcp}
  VS Code              code --add-mcp '{"name":"moltbot","type":"http","url":"${mcp}"}'

  Its log is ${folder}/moltbot.log. Ctrl-C stops it; what it knows stays in ${folder}/.

`;
}
