#!/bin/bash
# Makes a base for the container's image without a registry: a small Debian with this machine's Node and npm, and this project's
# container server in place of Cloudflare's. Needs root, debootstrap and a Docker engine. Then:
#   BASE=moltbot-base:debian npm run test:docker
set -euo pipefail
tag=${1:-moltbot-base:debian}
root=$(cd "$(dirname "$0")/../../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf --one-file-system "$tree"' EXIT
chmod 755 "$tree"

# What the published base has of Debian's, as far as the image uses it; without s3fs, for there is no FUSE in Docker.
packages=ca-certificates,curl,file,git,jq,procps,unzip,zip
debootstrap --variant=minbase --include="$packages" bookworm "$tree" http://deb.debian.org/debian
# It trusts whom this machine trusts.
cp /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/ca-certificates.crt"

cp "$(readlink -f "$root/node_modules/.bin/node")" "$tree/usr/local/bin/node"
mkdir -p "$tree/usr/local/lib/node_modules"
cp -rL "$(npm root -g)/npm" "$tree/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"

# The server keeps there what commands say, and runs as the user of the image that is made from this.
chmod 1777 "$tree/run"
# As it lies in this project, so that the files find each other.
server=$tree/container-server
mkdir -p "$server/local/container" "$server/test/docker/base" "$server/node_modules" "$tree/workspace"
cp "$root/test/docker/base/server.ts" "$server/test/docker/base/"
cp -r "$root/local/container/server" "$server/local/container/"
cp -rL "$root/node_modules/capnweb" "$root/node_modules/ws" "$server/node_modules/"
echo '{ "type": "module" }' >"$server/package.json"
version=$(node -p "require('$root/node_modules/@cloudflare/sandbox/package.json').version")

tar -C "$tree" --exclude='./proc/*' --exclude='./sys/*' -c . | docker import \
  --change "ENV SANDBOX_VERSION=$version NODE_USE_SYSTEM_CA=1" --change 'WORKDIR /container-server' --change 'EXPOSE 3000' \
  --change 'ENTRYPOINT ["/usr/local/bin/node", "/container-server/test/docker/base/server.ts"]' - "$tag"
