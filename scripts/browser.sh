#!/usr/bin/env bash
# Installs Chromium, which the tests of the web page drive, from Debian's packages: as root, where there
# is apt. The headless shell, which is Chromium without windows, needs less processor time. Anywhere
# else it says what is missing, and those tests are skipped (on CI they fail).
# The font is the one that tests/ui/fonts.conf names, so that screenshots agree between machines.
set -euo pipefail

missing=()
command -v chromium-headless-shell chromium >/dev/null || missing+=(chromium-headless-shell)
[ -n "$(find /usr/share/fonts -name DejaVuSans.ttf -print -quit 2>/dev/null)" ] || missing+=(fonts-dejavu-core)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "the tests of the web page need: ${missing[*]}" >&2
  echo "  on Debian: sudo make browser" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null ||
  echo "could not install ${missing[*]}: the tests of the web page need them" >&2
