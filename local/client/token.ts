import { parseArgs } from "node:util";
import { command, showSignIn } from "./command.ts";
import { connect } from "./connect.ts";
import { findTarget, STATE_FOLDER } from "./target.ts";

/** `npm run token`: prints a bearer token for the MCP endpoint, and nothing else, on stdout. */
command(async () => {
  const { values } = parseArgs({
    options: { url: { type: "string" }, state: { type: "string", default: STATE_FOLDER } },
  });
  const connection = await connect(findTarget(values.url, values.state), values.state, showSignIn);
  try {
    process.stdout.write(`${await connection.token()}\n`);
  } finally {
    await connection.close();
  }
});
