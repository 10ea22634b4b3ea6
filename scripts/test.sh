#!/usr/bin/env bash
# Runs all tests: unit, simulator, acceptance, scripts, pages. With arguments, which go to `cargo test`, runs those alone. The package of a
# release has its own test: make package-test.
#
#   TERRAFORM_TESTS  shared: each acceptance test runs with one of the installed Terraforms, which its name chooses, and with the others
#                    as long as something of it was skipped. each, the default where arguments are given: with every one.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make test"

needs_space 4500
need_cargo
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"
# Pages tell their readers to use these, and tests type what the pages say.
need curl "apt-get install curl"
need jq "apt-get install jq"
need python3 "apt-get install python3"

TERRAFORM_BINARIES="$(scripts/find-terraform.sh all)"
[ $# -gt 0 ] || TERRAFORM_TESTS="${TERRAFORM_TESTS:-shared}"
export TERRAFORM_BINARIES TERRAFORM_TESTS="${TERRAFORM_TESTS:-each}"
while read -r terraform; do
  note "testing with $("$terraform" version | head -n 1), $terraform"
done < <(tr ':' '\n' <<<"$TERRAFORM_BINARIES")
AZUREAD_MIRROR="$(scripts/find-azuread.sh)"
export AZUREAD_MIRROR

# A test waits for terraform, and terraform for the provider: with one test per core a quarter of the time nobody computes.
RUST_TEST_THREADS="${RUST_TEST_THREADS:-$((2 * $(cores)))}"
export RUST_TEST_THREADS

step "Building the tests"
cargo test --workspace --locked --no-run

if [ $# -gt 0 ]; then
  step "Running the tests"
  cargo test --workspace --locked --no-fail-fast "$@"
  exit
fi

# What waits most of its time: for a browser, for Python, for one terraform after the other.
of_scripts() {
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
}

log="$(mktemp)"
TERRAFORM_SKIPS="$project/target/skipped.txt"
export TERRAFORM_SKIPS
rm -f "$TERRAFORM_SKIPS"
ended() {
  [ -z "${scripts:-}" ] || kill -- "-$scripts" 2>/dev/null || true
  rm -f "$log"
  verdict_at_exit "$1"
}
trap 'ended $?' EXIT

step "Running the tests. Those of scripts and pages run beside them and print at the end"
set -m # in a process group, which an interrupted run can end
(of_scripts) >"$log" 2>&1 &
scripts=$!
set +m
failed=()
cargo test --workspace --locked --no-fail-fast || failed+=("cargo test")
wait "$scripts" || failed+=("the tests of scripts and pages, see above")
scripts=""
cat "$log" >&2
if [ -s "$TERRAFORM_SKIPS" ]; then
  step "Not run, or not to the end, because something is not there"
  LC_ALL=C sort -u "$TERRAFORM_SKIPS" >&2
fi
[ ${#failed[@]} -eq 0 ] || fail "Failed: $(IFS=';'; printf '%s' "${failed[*]}")"
