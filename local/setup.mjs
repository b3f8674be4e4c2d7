// Installs what is missing, before anything else can run. Plain JavaScript without dependencies: on a fresh
// machine it runs under the system's Node 20, and what it installs brings the Node 24 that all the rest runs on.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");

const steps = {
  worker: () => install(root, "Installing the Worker's packages (about half a minute, once)"),
  container: () =>
    install(join(root, "container"), "Installing the Moltbot gateway (about 650 MB, half a minute, once)"),
  jail: installBubblewrap,
  compiled: compileGateway,
  browser: unpackBrowser,
  ffmpeg: installFfmpeg,
  rclone: installRclone,
};

for (const name of process.argv.slice(2)) {
  const step = steps[name];
  if (!step) fail(`setup: there is no step "${name}"; they are ${Object.keys(steps).join(", ")}`);
  step();
}

/** `npm ci`, unless this lock file was installed already. */
function install(folder, what) {
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const stamp = join(folder, "node_modules", ".installed-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  // Node 24 first: the gateway's install script refuses an older one.
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const arguments_ = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  timed(what, () => run("npm", arguments_, { cwd: folder, env: { ...process.env, PATH: path } }));
  writeFileSync(stamp, lock);
}

/** Here, and not when the first page is opened: it takes a moment, and a person should see what for. */
function unpackBrowser() {
  const cache = join(root, "node_modules", ".cache");
  if (existsSync(cache) && readdirSync(cache).some((name) => /^chromium-[\d.]+$/.test(name))) return;
  const node = join(root, "node_modules", ".bin", "node");
  timed("Making the browser ready", () => run(node, [join(root, "local", "browser", "prepare.ts")], { cwd: root }));
}

function installBubblewrap() {
  if (spawnSync("bwrap", ["--version"]).status === 0) return;
  if (process.getuid?.() !== 0) {
    fail(
      "The bot's commands run in a bubblewrap jail, and bubblewrap is not installed.\n" +
        "Install it, then start again:\n\n    sudo apt-get install -y bubblewrap\n",
    );
  }
  timed("Installing bubblewrap, which isolates the bot's commands", () => installPackage("bubblewrap"));
}

/** Each start of the gateway then takes some seconds less. Made again when what it depends on has changed. */
function compileGateway() {
  const { version } = JSON.parse(readFileSync(join(root, "node_modules", "node", "package.json"), "utf8"));
  const bake = join(root, "container", "bake");
  const key = createHash("sha256").update(version);
  for (const name of readdirSync(bake).toSorted()) key.update(readFileSync(join(bake, name)));
  const stamp = join(root, "container", "node_modules", ".compiled-for");
  const wanted = key.digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const node = join(root, "node_modules", ".bin", "node");
  const compile = [join(root, "local", "container", "compile.ts")];
  const done = timed("Compiling the gateway (once)", () => run(node, compile, { cwd: root }, true));
  if (done) writeFileSync(stamp, wanted);
  else process.stderr.write("· It could not be compiled, so each start of the gateway takes longer.\n");
}

/** Only the benchmarks want it, and say so when it is not there. */
function installRclone() {
  if (spawnSync("rclone", ["version"]).status === 0 || process.getuid?.() !== 0) return;
  timed("Installing rclone, which the benchmarks compare with", () => installPackage("rclone", true));
}

/** The bot makes videos with it; everything else works without, so that a first start need not wait for it. */
function installFfmpeg() {
  if (spawnSync("ffmpeg", ["-version"]).status === 0) return;
  if (process.getuid?.() !== 0) {
    process.stderr.write("· There is no ffmpeg, so no video is made: sudo apt-get install -y ffmpeg\n");
    return;
  }
  timed("Installing ffmpeg, with which the bot makes videos", () => installPackage("ffmpeg", true));
}

function installPackage(name, mayFail = false) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const get = ["install", "-y", "--no-install-recommends", name];
  if (run("apt-get", get, { env }, true)) return;
  // A fresh machine has no package lists yet.
  run("apt-get", ["update"], { env }, mayFail);
  run("apt-get", get, { env }, mayFail);
}

function timed(what, work) {
  const started = Date.now();
  process.stderr.write(`· ${what} …`);
  const result = work();
  process.stderr.write(` ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return result;
}

/** Runs quietly; its output is shown only when it fails. */
function run(command, arguments_, options, mayFail = false) {
  const { status, stdout, stderr, error } = spawnSync(command, arguments_, {
    ...options,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return true;
  if (mayFail) return false;
  fail(`\n\n${command} ${arguments_.join(" ")} failed:\n${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
