#!/usr/bin/env bash
# Builds the container image and runs it as documented: with a user other than root, a read-only root
# file system, and no capabilities. It needs root on Debian instead of a container engine and a
# registry: buildah builds in a chroot, on a base that debootstrap creates with Debian's Python instead
# of the base in the Containerfile.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ] || [ ! -e /etc/debian_version ]; then
  echo "make container needs root on Debian; with a container engine, use: podman build --format docker -t originmap ." >&2
  exit 1
fi
if ! command -v buildah debootstrap > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends buildah debootstrap > /dev/null
fi

certificates=/etc/ssl/certs/ca-certificates.crt
base=localhost/originmap-base
folder=$(mktemp -d)
image=
clean_up() {
  [ -z "$image" ] || buildah rm "$image" > /dev/null
  rm -rf "$folder"
}
trap clean_up EXIT

if ! buildah inspect --type image "$base" > /dev/null 2>&1; then
  echo "creating a base image with debootstrap (once)"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$folder/debian" > "$folder/log"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$folder/debian" / > /dev/null
  buildah commit --quiet --rm "$container" "$base" > /dev/null
fi

echo "building the image"
# Uses the certificates of the host, which may reach the package index through a proxy.
buildah bud --quiet --format docker --isolation chroot --network host --build-arg BASE=$base \
  --volume "$certificates:$certificates:ro" --tag localhost/originmap --file Containerfile . > "$folder/log"

image=$(buildah from --pull-never localhost/originmap)
root=$(buildah mount "$image")
buildah inspect --type image localhost/originmap > "$folder/config.json"
python3 - "$folder/config.json" << 'END'
import json, sys
config = json.load(open(sys.argv[1]))["Docker"]["config"]
assert config["User"] == "10001", config["User"]
assert config["Entrypoint"] + config["Cmd"] == ["originmap", "serve"]
assert config["Healthcheck"]["Test"] == ["CMD", "originmap", "health"]
END

echo "running it"
unshare --mount --pid --fork --mount-proc bash -euo pipefail -s "$root" "$folder" << 'END'
root=$1 folder=$2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o uid=10001,gid=10001,mode=0700 tmpfs "$root/var/lib/originmap"
mount --bind /dev "$root/dev"
mount -o remount,bind,ro "$root"
inside() {
  env -i PATH=/opt/originmap/bin:/usr/bin:/bin XDG_STATE_HOME=/var/lib ORIGINMAP_HOST=0.0.0.0 ORIGINMAP_PORT=18787 \
    ORIGINMAP_DB=/var/lib/originmap/originmap.db /usr/sbin/chroot "$root" \
    /usr/bin/setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all "$@"
}
! inside touch /opt/originmap/new 2> /dev/null || { echo "the root file system is writable" >&2; exit 1; }
inside originmap --version
inside originmap zone create example.com
inside originmap serve > "$folder/server.log" 2>&1 &
started=$!
for _ in $(seq 100); do
  if inside originmap health 2> /dev/null; then break; fi
  sleep 0.1
done
inside originmap health
inside originmap zone list
kill "$(pgrep --uid 10001 originmap)" # only sees processes in this PID namespace
wait "$started"
END
echo "The image starts, is healthy, and stops. Not tested: the base in the Containerfile, and arm64."
