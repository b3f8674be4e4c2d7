import { spawnSync } from "node:child_process";

/** What the image is made from when nobody says otherwise; `container/Dockerfile` has the same. */
const BASE = "docker.io/cloudflare/sandbox:0.12.10";
/** What wrangler puts beside each container for its network; by this tag in wrangler 4.155, unless the variable says otherwise. */
const SIDECAR = "cloudflare/proxy-everything:3cb1195";
/** Longest that asking the engine something takes; a pull may take longer. */
const ANSWER_WITHIN_MS = 20_000;
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
  if (!docker(["buildx", "version"]).ok) {
    return "wrangler builds images with `docker buildx`, which is not here. Install docker-buildx (docker-buildx-plugin).";
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
