#!/usr/bin/env bash
# Installs by apt what `make lint && make test` needs besides Rust, where this is a Debian and we are root. What is there
# already is left alone. For CI (.ci/run) and the development container (.devcontainer).

set -euo pipefail

install() {
  if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  fi
}

command -v cc >/dev/null || install gcc libc6-dev
command -v make >/dev/null || install make
# What pages tell their readers to type.
command -v curl >/dev/null || install curl ca-certificates
command -v jq >/dev/null || install jq
python3 -c 'import venv, ensurepip' 2>/dev/null || install python3 python3-venv
# A linter that cannot be had is named by `make lint`; it does not stop the gate.
command -v shellcheck >/dev/null || install shellcheck || true
# Without a browser `make test` does not look at the simulator's page, and says so.
command -v chromedriver >/dev/null || install chromium chromium-driver || true
