/**
 * A container host in a process of its own, to be killed. argv: state folder, node, container folder. Prints {url, token}
 * and then its log, and stops in order when its stdin ends.
 */
import { startContainerHost } from "../../local/container/host.ts";

const [stateDir = "", nodeBinary = "", containerDir = ""] = process.argv.slice(2);
const host = await startContainerHost({
  stateDir,
  nodeBinary,
  containerDir,
  bridge: () => ({ host: "127.0.0.1", port: 9 }),
  log: (line) => console.error(line),
});
console.log(JSON.stringify({ url: host.url, token: host.token }));
process.stdin.resume();
process.stdin.once("end", () => void host.close());
