#!/usr/bin/env bash
# Tests the package in target/package/ as a user would use it: a mirror, init, apply, an empty plan, destroy. On Linux also in a root
# directory with nothing in it but the provider. `make package` comes first.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "scripts/smoke.sh"

need_cargo
need python3 "apt-get install python3"
compgen -G "target/package/*_SHA256SUMS" >/dev/null || fail "There is no package." "Make it with: make package"

terraforms="${TERRAFORM_BINARIES:-$(scripts/find-terraform.sh all)}"
cargo build --quiet --locked --package servicenow-simulator --bin servicenow-simulator

detail="$(mktemp)"
ended() {
  # shellcheck disable=SC2034 # lib.sh prints it
  verdict_detail="$(cat "$detail")"
  rm -f "$detail"
  verdict_at_exit "$1"
}
trap 'ended $?' EXIT
python3 scripts/package/smoke.py --package target/package --simulator target/debug/servicenow-simulator \
  --terraforms "$terraforms" --not-shown "$detail"
