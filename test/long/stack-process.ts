/** The whole Moltbot in a process of its own, to be killed. argv: its state's folder. Prints one line of JSON when it is up. */
import { startStack } from "../../local/stack.ts";

const [stateDir = ""] = process.argv.slice(2);
const { url, passwordFile, host } = await startStack({ stateDir, variables: {} });
console.log(JSON.stringify({ url, passwordFile, host }));
