#!/usr/bin/env bash
# Tests the simulator with clients of ServiceNow and Microsoft, from PyPI: what they send to the real services must work here.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
need python3 "apt-get install python3 python3-venv"

cargo build --quiet --locked --package servicenow-simulator --bin servicenow-simulator

announced="$(mktemp)"
target/debug/servicenow-simulator >"$announced" &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true; rm -f "$announced"' EXIT
for _ in $(seq 100); do
  [ -s "$announced" ] && break
  sleep 0.1
done

# call CHECK PACKAGE VERSION [REQUIREMENT...]: runs check_CHECK.py with the package, or says that it cannot be had.
call() {
  local check="$1" venv
  shift
  if ! venv="$(from_pypi "$@")"; then
    note "skipped: $1 $2, which cannot be installed from PyPI here (check the connection, or the proxy of pip)"
    return
  fi
  NO_PROXY=127.0.0.1,localhost "$venv/bin/python" "simulator/tests/foreign_clients/check_$check.py" "$announced"
}

call pysnc pysnc 1.2.1 requests-oauthlib==2.0.0 httpx==0.28.1
call msal msal 1.39.0
call azure_identity azure-identity 1.27.0
