import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { EGRESS_PORT } from "./server/wire.ts";

const NODE = "/opt/node/bin/node";
const SERVER = "/opt/sandbox-server";

/** What a jail needs to run the container server: the command, what it shows of the machine, and its environment. */
export function sandboxServer(paths: { nodeBinary: string; containerDir: string }) {
  return {
    command: [NODE, `${SERVER}/src/main.ts`],
    readOnly: {
      [NODE]: paths.nodeBinary,
      "/opt/moltbot": paths.containerDir,
      [`${SERVER}/src`]: fileURLToPath(new URL("server", import.meta.url)),
      [`${SERVER}/node_modules/capnweb`]: packageFolder("capnweb"),
      [`${SERVER}/node_modules/ws`]: packageFolder("ws"),
    },
    env: {
      PATH: `${dirname(NODE)}:/opt/moltbot/bin:/opt/moltbot/node_modules/.bin:/usr/local/bin:/usr/bin:/bin`,
      HOME: "/home/moltbot",
      USER: "moltbot",
      SHELL: "/bin/bash",
      LANG: "C.UTF-8",
      TMPDIR: "/tmp",
      // The SDK asks for it, and warns about any version but its own.
      SANDBOX_VERSION: versionOf("@cloudflare/sandbox"),
      ...proxyVariables(`http://127.0.0.1:${EGRESS_PORT}`),
    },
  };
}

/** Both spellings: curl reads the one, most others read the other. */
function proxyVariables(proxy: string): Record<string, string> {
  const direct = "127.0.0.1,localhost,::1";
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: direct,
    http_proxy: proxy,
    https_proxy: proxy,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: "1",
  };
}

const require = createRequire(import.meta.url);

/** The main file is in the package's folder or in `dist` below it. */
function packageFolder(name: string): string {
  return dirname(require.resolve(name)).replace(/\/dist$/, "");
}

function versionOf(name: string): string {
  return z.object({ version: z.string() }).parse(require(`${packageFolder(name)}/package.json`)).version;
}
