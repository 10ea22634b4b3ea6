#!/usr/bin/env bash
# Tests the simulator with an independent client: PySNC, ServiceNow's own Python client, from PyPI.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
need python3 "apt-get install python3 python3-venv"

version=1.2.1
venv="$(from_pypi pysnc "$version")" ||
  fail "PySNC $version cannot be installed." "It comes from PyPI: check the connection, or the proxy of pip."
cargo build --quiet --locked --package servicenow-simulator --bin servicenow-simulator

announced="$(mktemp)"
target/debug/servicenow-simulator >"$announced" &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true; rm -f "$announced"' EXIT
for _ in $(seq 100); do
  [ -s "$announced" ] && break
  sleep 0.1
done
value() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$announced" "$1"; }

NO_PROXY=127.0.0.1,localhost "$venv/bin/python" simulator/tests/foreign_clients/check_pysnc.py \
  "$(value instance_url)" "$(value username)" "$(value password)" "$(value ca_certificate)"
