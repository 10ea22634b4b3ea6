#!/usr/bin/env bash
# The whole guide, end to end: a real terraform, the provider as it was just built, and the simulator.
#
#   KEEP=1           ends after the apply, leaves the simulator running and prints how to continue
#   VERBOSE=1        shows all of terraform's output
#   TERRAFORM=tofu   demonstrates it with OpenTofu, or with another terraform than the one on PATH
#   PROFILE=release  demonstrates the optimised build; the default is the build of `make test`

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make demo"

need_cargo
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"
need python3 "apt-get install python3"

profile="${PROFILE:-dev}"
case "$profile" in
  dev) built="$project/target/debug" ;;
  *) built="$project/target/$profile" ;;
esac

step "Building the provider and the simulator (some minutes the first time)"
python3 scripts/demo/fold.py cargo build --workspace --bins --locked --profile "$profile"

terraform="$(scripts/find-terraform.sh one)"
python3 scripts/demo/main.py \
  --terraform "$terraform" \
  --provider "$built/terraform-provider-servicenow" \
  --simulator "$built/servicenow-simulator" \
  --folder "$project/target/demo" \
  ${KEEP:+--keep} ${VERBOSE:+--verbose}
