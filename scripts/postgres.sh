#!/usr/bin/env bash
# Installs PostgreSQL's server programs for the tests, from Debian's packages: as root, where there
# is apt. Anywhere else it says what is missing, and the tests on PostgreSQL are skipped (on CI they
# fail). The tests start a server of their own; the system's is not started.
set -euo pipefail

if compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || command -v initdb >/dev/null; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "the tests on PostgreSQL need its server programs: apt-get install postgresql" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends postgresql-common >/dev/null
sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
apt-get install -qq -y --no-install-recommends postgresql >/dev/null
