/** The entry on one machine with Docker: the production classes on real containers, with this machine's sign-in before them. */
import local from "../worker.ts";

export * from "../../src/objects.ts";
export { ContainerProxy } from "../../src/sandbox/container-proxy.ts";
export { MoltbotCdp } from "../worker.ts";

export default local;
