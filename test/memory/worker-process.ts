/** The memory's Worker in a process of its own, to be killed. argv: folder to persist in, port. Prints a line when it is up. */
import { tieWorkerd } from "../../local/workerd.ts";
import { startMemoryWorker } from "./stack.ts";

const [persist = "", port = "0"] = process.argv.slice(2);
tieWorkerd();
await startMemoryWorker({ persist, port: Number(port), log: () => undefined });
console.log("up");
