#!/bin/bash
# Fills a folder with the gateway's compiled code: starts it once with the plugins the Worker gives it and an empty state, and
# ends it in order, which is when Node writes what it has compiled. As the user who runs this, and where no bot has been.
# argv: the folder, which is made.
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/openclaw.json" "$work/openclaw.json"
# For this one start; it ends with it.
token=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')

run() {
  exec env -C "$work" HOME="$work" OPENCLAW_STATE_DIR="$work" OPENCLAW_CONFIG_PATH="$work/openclaw.json" \
    OPENCLAW_GATEWAY_TOKEN="$token" OPENCLAW_CONFIG_READONLY=1 OPENCLAW_NO_RESPAWN=1 OPENCLAW_NO_AUTO_UPDATE=1 \
    OPENCLAW_DISABLE_BONJOUR=1 OPENCLAW_OFFLINE=1 OPENCLAW_COMPILE_CACHE="$cache" \
    "$here/../bin/openclaw" gateway run --port 18789 --bind loopback
}
run >"$work/log" 2>&1 &
gateway=$!
ready=
for ((second = 0; second < 180; second++)); do
  kill -0 "$gateway" 2>/dev/null || break
  node -e 'fetch("http://127.0.0.1:18789/startupz").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' &&
    ready=1 && break
  sleep 1
done
if [ -z "$ready" ]; then
  echo "The gateway did not start:" >&2
  cat "$work/log" >&2
  exit 1
fi
kill -TERM "$gateway"
wait "$gateway" || true
files=$(find "$cache" -type f | wc -l)
[ "$files" -gt 100 ] || { echo "Only $files files were compiled." >&2 && exit 1; }
# Node makes them for its own user. Whoever runs the gateway later reads them, and does not write them.
chmod -R a+rX,go-w "$cache"
echo "Compiled $files files, $(du -sh "$cache" | cut -f1)."
