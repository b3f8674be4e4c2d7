/** What the container sends out goes through this class; the SDK looks for it among the entry's exports. */
export { ContainerProxy } from "@cloudflare/sandbox";
