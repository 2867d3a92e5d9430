#!/usr/bin/env bash
# Brings Debian's PostgreSQL server: the ledger's tests run on a real one. Each test
# run starts a cluster of its own, so the packaged one need not run.
set -euo pipefail

if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -y -q --no-install-recommends postgresql
  else
    echo "No PostgreSQL server found: its tests are skipped." >&2
  fi
fi
