import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What the image is made from when nobody says otherwise; `container/Dockerfile` has the same. */
const BASE = "docker.io/cloudflare/sandbox:0.12.10";
/** What wrangler puts beside each container for its network; by this tag in wrangler 4.155, unless the variable says otherwise. */
const SIDECAR = "cloudflare/proxy-everything:3cb1195";
/** Longest that asking the engine something takes; a pull may take longer. */
const ANSWER_WITHIN_MS = 20_000;
/** Characters of a failed build's output. */
const BUILD_TAIL = 4000;
const CONTEXT = join(import.meta.dirname, "../../container");
const PULL_WITHIN_MS = 10 * 60_000;

/** The base of the container's image: another one than Cloudflare's where `BASE` names it. */
export function baseImage(env: NodeJS.ProcessEnv): string {
  return env.BASE === undefined || env.BASE === "" ? BASE : env.BASE;
}

/** The image that wrangler runs beside each container. */
export function sidecarImage(env: NodeJS.ProcessEnv): string {
  return env.MINIFLARE_CONTAINER_EGRESS_IMAGE ?? SIDECAR;
}

/** Why containers cannot be run here, and what to do about it; undefined where they can. */
export function engineProblem(): string | undefined {
  const engine = docker(["version", "--format", "{{.Server.Version}}"]);
  if (engine.missing)
    return "There is no `docker` on this machine. Install Docker, or use `npm start`, which needs none.";
  if (!engine.ok) {
    return `No Docker engine answers (${engine.said}). Start it (\`sudo systemctl start docker\`), or use \`npm start\`.`;
  }
  // An old `docker` has buildx as a plugin, and still builds without it.
  if (!docker(["buildx", "version"]).ok || !docker(["build", "--help"]).lines.some((line) => line.includes("--load"))) {
    return "wrangler builds images with `docker buildx`. Install docker-buildx (docker-buildx-plugin) and Docker's CLI 23 or newer.";
  }
  // Where the Worker listens for what a container sends out.
  const gateway = docker(["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]);
  if (!/^\d/.test(gateway.said)) {
    return "The Docker engine names no gateway for its bridge network. Start it with one: `dockerd --bip 172.17.0.1/16`.";
  }
  return undefined;
}

/** Why an image cannot be had; undefined when it is here, after a pull if need be. */
export function imageProblem(image: string): string | undefined {
  if (docker(["image", "inspect", image]).ok) return undefined;
  const pulled = docker(["pull", "--quiet", "--platform", "linux/amd64", image], PULL_WITHIN_MS);
  return pulled.ok ? undefined : `The image ${image} is not here and cannot be pulled (${pulled.said}).`;
}

/** Builds the container's image as wrangler does, who then finds it made, and says why when it cannot be built. */
export async function buildImage(tag: string, env: NodeJS.ProcessEnv): Promise<void> {
  const options = ["--load", "--platform", "linux/amd64", "--provenance=false", "--progress", "plain"];
  const argv = ["build", ...options, "--build-arg", `BASE=${baseImage(env)}`, "-t", tag, CONTEXT];
  const child = spawn("docker", argv, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    said = (said + text).slice(-BUILD_TAIL);
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The container's image cannot be built. The end of what Docker says:\n${said}`);
}

/** Removes the containers of the Worker of this name: wrangler leaves those behind that it ran for their network. */
export function removeContainers(worker: string): void {
  const ids = docker(["ps", "--all", "--quiet", "--filter", `name=^workerd-${worker}-`]).lines;
  if (ids.length > 0) docker(["rm", "--force", ...ids]);
}

/** Never throws: what went wrong is in `said`. */
function docker(argv: string[], timeout = ANSWER_WITHIN_MS) {
  const { status, stdout, stderr, error } = spawnSync("docker", argv, { encoding: "utf8", timeout });
  const missing = error !== undefined && "code" in error && error.code === "ENOENT";
  const lines = (stdout ?? "").split("\n").filter((line) => line.trim() !== "");
  const complaints = `${stderr ?? ""}\n${error?.message ?? ""}`.split("\n").filter((line) => line.trim() !== "");
  return { ok: status === 0, missing, lines, said: (status === 0 ? lines[0] : complaints.at(-1)) ?? "" };
}
