import { dirname } from "node:path";
import { systemMounts } from "../container/jail.ts";
import type { Chromium } from "./chromium.ts";

/** Where the wrapper finds the fonts' settings inside the jail. */
const FONTS_CONF = "/etc/fonts.conf";
const HOME = "/home/browser";
/** Of /etc what libraries need, and Debian's launcher: without its folder it does not start. */
const SYSTEM_ETC = ["/etc/alternatives", "/etc/ld.so.cache", "/etc/chromium", "/etc/chromium.d"];

/**
 * A shell script that starts `chromium` as the program wrangler thinks it starts, in a jail: raw DevTools can make a
 * browser read and write files, so the one that a bot drives sees none of the user's. Its profile is the only folder it
 * shares with the machine, and the proxy its only way out. It dies with whoever started it.
 */
export async function jailedChromium(options: {
  chromium: Chromium;
  proxyPort: number;
  /** Where the settings for fonts are, outside. */
  fonts: string;
}): Promise<string> {
  const { chromium, proxyPort, fonts } = options;
  const folder = dirname(chromium.path);
  const jail = [
    process.getuid?.() === 0 ? [] : ["--unshare-user"],
    ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ["--die-with-parent", "--cap-drop", "ALL", "--clearenv"],
    ["--ro-bind", "/usr", "/usr"],
    await systemMounts(),
    SYSTEM_ETC.flatMap((path) => ["--ro-bind-try", path, path]),
    ["--ro-bind", fonts, FONTS_CONF],
    ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", HOME],
    folder.startsWith("/usr/") ? [] : ["--ro-bind", folder, folder],
    ["--setenv", "HOME", HOME, "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8"],
    ["--setenv", "FONTCONFIG_FILE", FONTS_CONF, "--setenv", "TZ", process.env.TZ ?? "UTC"],
  ].flat();
  const flags = [
    // The jail is the sandbox: inside it the browser cannot make another one.
    "--no-sandbox",
    ...chromium.flags,
    `--proxy-server=http://127.0.0.1:${proxyPort}`,
    // Without it, loopback is reached past the proxy.
    "--proxy-bypass-list=<-loopback>",
    // Names are the proxy's to resolve, and nothing goes out by UDP: a bare engine knows the one switch, a whole browser the other.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-component-update",
    "--no-pings",
    // A page that comes back from memory does not load, which is what clients of DevTools wait for.
    "--disable-back-forward-cache",
    "--disable-domain-reliability",
    "--font-render-hinting=none",
  ];
  return `#!/bin/sh
profile=/tmp/profile
for given in "$@"; do
  case "$given" in --user-data-dir=*) profile="\${given#*=}" ;; esac
done
mkdir -p "$profile"
exec bwrap ${quoted(jail)} --bind "$profile" "$profile" --chdir / -- ${quoted([chromium.path])} "$@" ${quoted(flags)}
`;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** fonts.conf for what is on the machine and what came with the browser; without one Chromium shows no text at all. */
export function fontsConf(chromium: Chromium): string {
  const folders = ["/usr/share/fonts", "/usr/local/share/fonts", `${dirname(chromium.path)}/fonts`];
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
${folders.map((folder) => `  <dir>${escapedXml(folder)}</dir>`).join("\n")}
  <cachedir>/tmp/fontconfig</cachedir>
</fontconfig>
`;
}

function escapedXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
