#!/usr/bin/env bash
# Runs all tests: unit, simulator, acceptance with every installed Terraform. Arguments go to `cargo test`.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make test"

need_cargo
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"
# Pages tell their readers to use these, and tests type what the pages say.
need curl "apt-get install curl"
need jq "apt-get install jq"

TERRAFORM_BINARIES="$(scripts/find-terraform.sh all)"
export TERRAFORM_BINARIES
while read -r terraform; do
  note "testing with $("$terraform" version | head -n 1), $terraform"
done < <(tr ':' '\n' <<<"$TERRAFORM_BINARIES")
AZUREAD_MIRROR="$(scripts/find-azuread.sh)"
export AZUREAD_MIRROR

step "Building the tests"
cargo test --workspace --locked --no-run

need python3 "apt-get install python3"
step "Testing the scripts"
python3 -m unittest discover -s scripts/tests

step "Calling the simulator with clients of ServiceNow and Microsoft"
scripts/foreign-clients.sh

step "Looking at the simulator's page in a browser"
scripts/check-page.sh

step "Running the demo, and comparing it with docs/demo.md"
scripts/demo-transcript.sh --check

step "Walking a new user's first hour"
scripts/walk.sh

step "Running the tests"
cargo test --workspace --locked --no-fail-fast "$@"

# Users get a program that differs from the tested one: optimised, static, packed. Not run when only some tests were selected.
if [ $# -eq 0 ]; then
  scripts/package.sh
  scripts/smoke.sh
fi
