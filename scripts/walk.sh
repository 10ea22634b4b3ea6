#!/usr/bin/env bash
# A new user's first hour, from the pages alone: install, sign in, three resources, the modules, rotation, import, query, the
# inbound check, and the mistakes of that hour, each with the words of its error. Everything is in a temporary home folder.
#
#   TERRAFORM_BINARIES  the Terraforms and OpenTofus to walk with, joined by ":"; the default is every installed one

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "scripts/walk.sh"

need_cargo
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"
need python3 "apt-get install python3"

terraforms="${TERRAFORM_BINARIES:-$(scripts/find-terraform.sh all)}"
# Where `make test` has looked for it already, it is not looked for again.
mirror="${AZUREAD_MIRROR-$(scripts/find-azuread.sh)}"

cargo build --quiet --workspace --bins --locked

skipped="$(mktemp)"
ended() {
  # shellcheck disable=SC2034 # lib.sh prints it
  verdict_detail="$(cat "$skipped")"
  rm -f "$skipped"
  verdict_at_exit "$1"
}
trap 'ended $?' EXIT
python3 scripts/walk/main.py --terraforms "$terraforms" --skipped "$skipped" \
  --provider "$project/target/debug/terraform-provider-servicenow" \
  --simulator "$project/target/debug/servicenow-simulator" \
  ${mirror:+--azuread "$mirror/registry.terraform.io/hashicorp/azuread"}
