#!/usr/bin/env bash
# Installs the caches for the tests of exports, and curl and git for the tests of the guides, from
# Debian's packages. It needs root and apt; otherwise it prints what is missing, and those tests are
# skipped (on CI they fail). Envoy comes from PyPI with the other test dependencies.
set -euo pipefail

programs=(nginx haproxy varnishd tcc traffic_manager curl git)
packages=(nginx-light haproxy varnish tcc trafficserver curl git)
missing=()
for i in "${!programs[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${programs[$i]}" >/dev/null || missing+=("${packages[$i]}")
done
# libnss-wrapper gives a hostname several addresses for one command.
[ -n "$(find /usr/lib -name libnss_wrapper.so -print -quit 2>/dev/null)" ] || missing+=(libnss-wrapper)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "the tests with real caches need: ${missing[*]}" >&2
  echo "  on Debian or Ubuntu: sudo make caches" >&2
  exit 0
fi

# The tests start their own processes; this keeps the system from starting the services.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null ||
  echo "could not install ${missing[*]}: the tests with real caches need them" >&2
