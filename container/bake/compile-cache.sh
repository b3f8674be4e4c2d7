#!/bin/bash
# Fills /opt/moltbot/compile-cache: starts the gateway once, as the user it runs as (Node keeps a cache for each), with the
# plugins the Worker gives it and an empty state, and ends it in order, which is when Node writes what it has compiled.
set -euo pipefail
cache=/opt/moltbot/compile-cache
work=$(mktemp -d)
install -d -o moltbot -g moltbot "$cache" "$work/state"
chmod 755 "$work"
cp "$(dirname "$0")/openclaw.json" "$work/state/openclaw.json"
# For this one start; it ends with it.
token=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')

run() {
  exec setpriv --reuid moltbot --regid moltbot --clear-groups env -C "$work/state" \
    HOME="$work/state" OPENCLAW_STATE_DIR="$work/state" OPENCLAW_CONFIG_PATH="$work/state/openclaw.json" \
    OPENCLAW_GATEWAY_TOKEN="$token" OPENCLAW_CONFIG_READONLY=1 OPENCLAW_NO_RESPAWN=1 OPENCLAW_NO_AUTO_UPDATE=1 \
    OPENCLAW_DISABLE_BONJOUR=1 OPENCLAW_OFFLINE=1 \
    openclaw gateway run --port 18789 --bind loopback
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
# From here on it is read only.
chown -R root:root "$cache"
chmod -R a+rX,go-w "$cache"
rm -rf "$work"
echo "Compiled $files files, $(du -sh "$cache" | cut -f1)."
