#!/usr/bin/env bash
# Builds the provider and the simulator, optimised.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make build"

need_cargo
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"

step "Building with optimisation (a few minutes the first time)"
cargo build --workspace --bins --release --locked
for program in terraform-provider-servicenow servicenow-simulator; do
  note "target/release/$program  $(($(wc -c <"target/release/$program") / 1024)) KiB"
done
