#!/usr/bin/env bash
# Brings what the tests need and pip does not have: a browser, fonts, a database.
# As root through apt, else Playwright's own download.
set -euo pipefail
cd "$(dirname "$0")/.."

browser() {
  command -v chromium || command -v chromium-browser || command -v google-chrome
}

if ! browser >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -y -q --no-install-recommends \
      chromium fonts-dejavu-core fonts-noto-color-emoji
  else
    .venv/bin/playwright install chromium
  fi
fi

bash tests/bring_postgres.sh
